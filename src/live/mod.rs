//! The live view: the sockets of this host, listed again and again, with keys to look around.
//!
//! - `keys` turns the bytes of the terminal into keys.
//! - `state` has what the user has chosen, and what each key changes.
//! - `usual` has the columns that are shown if he chooses none.
//! - `filter` parses the filter that the user types.
//! - `model` has the rows of a listing: filtered, in order, with the changes.
//! - `sheet` turns them into text in columns, which `layout` arranges.
//! - `panes` has the panes that take the place of the rows.
//! - `view` draws all of it into a buffer, and `screen` the buffer on the terminal.
//! - `session` is the loop: it lists, draws, and waits for keys.
//! - `repeat` lists repeatedly without a view.

mod filter;
mod keys;
mod layout;
mod model;
mod panes;
pub mod repeat;
mod screen;
mod session;
mod sheet;
mod state;
mod usual;
mod view;

pub use filter::Parse;
pub use session::{Seen, Settings, run};
