//! The fields of a row: words between spaces, each with the name that a complaint gives it.

use crate::tables::Fault;

/// What is left of a line, field by field.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field, as `read` understands it.
    pub(super) fn next<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        let rest = self.0.trim_ascii_start();
        if rest.is_empty() {
            return Err(Fault::Missing(field));
        }
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let (text, rest) = rest.split_at(end);
        self.0 = rest;
        read(text).ok_or_else(|| Fault::malformed(field, text))
    }
}
