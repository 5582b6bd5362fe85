//! Why what a table has is no row.

use std::fmt;

/// What is wrong with a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends before this field.
    Missing(&'static str),
    /// This field cannot be what it says.
    Malformed {
        /// The field's name.
        field: &'static str,
        /// What stands there, cut to a length that can be shown.
        text: Vec<u8>,
    },
    /// It is longer than a row can be.
    TooLong {
        /// Bytes that a line may have.
        limit: usize,
    },
}

impl Fault {
    pub(super) fn malformed(field: &'static str, text: &[u8]) -> Self {
        const SHOWN: usize = 40;
        Self::Malformed { field, text: text.iter().copied().take(SHOWN).collect() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "it ends before its {field}"),
            Self::Malformed { field, text } => {
                write!(f, "its {field} is malformed: \"{}\"", text.escape_ascii())
            }
            Self::TooLong { limit } => write!(f, "it has {limit} bytes or more"),
        }
    }
}
