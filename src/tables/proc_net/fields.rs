//! The fields of a row: words between spaces, each with the name that a complaint gives it.

use std::fmt;

/// Why a line is no row.
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

/// What is left of a line, field by field.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field, as `read` understands it.
    pub(super) fn next<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        const SHOWN: usize = 40;
        let rest = self.0.trim_ascii_start();
        if rest.is_empty() {
            return Err(Fault::Missing(field));
        }
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let (text, rest) = rest.split_at(end);
        self.0 = rest;
        read(text).ok_or_else(|| Fault::Malformed {
            field,
            text: text.iter().copied().take(SHOWN).collect(),
        })
    }
}
