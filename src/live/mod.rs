//! The live view: the sockets of this host, listed again and again, with keys to look around.
//!
//! - `keys` turns the bytes of the terminal into keys.
//! - `state` has what the user has chosen, and what each key changes; `cursor` the row he is at.
//! - `usual` has the columns that are shown if he chooses none.
//! - `prompt` is where the user types a filter, and `filter` parses it.
//! - `model` has the rows of a listing: filtered, in order, with the changes.
//! - `rows` turns a row into text, and `sheet` all of them into columns, which `layout` arranges.
//! - `panes` has the panes that take the place of the rows, and `footer` the last line.
//! - `view` draws all of it into a buffer, and `screen` the buffer on the terminal.
//! - `session` is the loop: it lists, draws, and waits for keys.
//! - `repeat` lists repeatedly without a view.

mod cursor;
mod filter;
mod footer;
mod keys;
mod layout;
mod model;
mod panes;
mod prompt;
pub mod repeat;
mod rows;
mod screen;
mod session;
mod sheet;
mod state;
mod usual;
mod view;

pub use filter::Parse;
pub(crate) use panes::KEYS;
pub use session::{Seen, Settings, run};
