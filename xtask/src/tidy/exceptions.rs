//! What tidy lets pass, and why. A row that is no longer needed is itself an error, so the list only shrinks.

use super::Finding;

/// A file, or a folder when the path ends with `/`, that one check lets pass.
pub(super) struct Exception {
    /// The name of the check, as it stands in the brackets of its message.
    pub(super) check: &'static str,
    /// Where it applies.
    pub(super) path: &'static str,
    /// Why; read by reviewers only.
    #[cfg_attr(not(test), expect(dead_code, reason = "written for people"))]
    pub(super) reason: &'static str,
}

/// All exceptions.
pub(super) const EXCEPTIONS: &[Exception] = &[];

impl Exception {
    /// Whether it lets this finding pass.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let here = if self.path.ends_with('/') {
            finding.path.starts_with(self.path)
        } else {
            finding.path == self.path
        };
        here && finding.check == self.check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_has_a_reason() {
        for exception in EXCEPTIONS {
            assert!(exception.reason.len() > 20, "{}: say why", exception.path);
        }
    }
}
