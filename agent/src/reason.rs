//! Errors of other crates as a few words for a person.

use std::error::Error;
use std::io;

/// The innermost cause, which says what happened: `connection refused`, not `client error`.
#[must_use]
pub fn words(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<io::Error>() {
        // The kind's words without `(os error 111)`, which helps nobody.
        Some(error) if error.raw_os_error().is_some() => match error.kind() {
            io::ErrorKind::Other => error.to_string(),
            kind if kind.to_string() == "uncategorized error" => error.to_string(),
            kind => kind.to_string(),
        },
        _ => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_innermost_cause_is_told_in_plain_words() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let refused = std::net::TcpStream::connect(nobody).unwrap_err();
        assert_eq!(words(&Outer(refused)), "connection refused");
        assert_eq!(
            words(&Outer(io::Error::other("told as it is"))),
            "told as it is"
        );
    }
}
