//! Statements as text. A message to the server carries many of them, so that a transaction takes few journeys.
//!
//! Whatever comes from outside goes in as a number or as hexadecimal digits; no text of a caller stands in a statement.

use std::fmt::Write as _;

/// After so many bytes of rows a statement ends, and the next takes the rest.
const STATEMENT_BYTES: usize = 256 << 10;

/// After so many bytes a message ends. With the largest row after that it stays below what a server has to take
/// (`PACKET_BYTES_MIN` in settings.rs).
const MESSAGE_BYTES: usize = 512 << 10;

/// The most rows of one statement, and values in one list: more than 1,000 in a list MariaDB makes a table of.
const ROWS_MAX: usize = 500;

/// Messages to the server, each with some statements.
#[derive(Default)]
pub(crate) struct Script {
    messages: Vec<String>,
    current: String,
}

/// A statement that is being written.
pub(crate) struct Statement<'a>(&'a mut String);

impl Script {
    /// A statement without anything from outside.
    pub(crate) fn say(&mut self, words: &str) {
        self.statement(|statement| {
            statement.say(words);
        });
    }

    /// One statement.
    pub(crate) fn statement(&mut self, write: impl FnOnce(&mut Statement<'_>)) {
        if self.current.len() >= MESSAGE_BYTES {
            self.messages.push(std::mem::take(&mut self.current));
        }
        write(&mut Statement(&mut self.current));
        self.current.push(';');
    }

    /// As many statements as it takes for all of these, each with a head, some of them, and a tail.
    pub(crate) fn each<T>(
        &mut self,
        head: &str,
        items: impl IntoIterator<Item = T>,
        tail: &str,
        mut write: impl FnMut(&mut Statement<'_>, T),
    ) {
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            self.statement(|statement| {
                statement.say(head);
                let begin = statement.0.len();
                for count in 0..ROWS_MAX {
                    if statement.0.len() - begin > STATEMENT_BYTES {
                        break;
                    }
                    let Some(item) = items.next() else { break };
                    statement.say(if count == 0 { "" } else { "," });
                    write(statement, item);
                }
                statement.say(tail);
            });
        }
    }

    /// The messages, in order.
    pub(crate) fn finish(mut self) -> Vec<String> {
        if !self.current.is_empty() {
            self.messages.push(self.current);
        }
        self.messages
    }
}

impl Statement<'_> {
    /// Words of ours.
    pub(crate) fn say(&mut self, words: &str) -> &mut Self {
        self.0.push_str(words);
        self
    }

    /// A number.
    pub(crate) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        // Writing to a text does not fail.
        let _ = write!(self.0, "{}", number.into());
        self
    }

    /// A number or none.
    pub(crate) fn number_or_null(&mut self, number: Option<impl Into<u64>>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.say("NULL"),
        }
    }

    /// Bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.reserve(bytes.len() * 2 + 3);
        self.0.push_str("x'");
        let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
        for byte in bytes {
            self.0.push(digit(byte >> 4));
            self.0.push(digit(byte & 0xf));
        }
        self.0.push('\'');
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_digits() {
        let mut script = Script::default();
        script.statement(|statement| {
            statement.say("SELECT ").number(7_u32).say(",").bytes(b"';\\\0\xff").say(",").bytes(b"").say(",");
            statement.number_or_null(None::<u32>).say(",").number_or_null(Some(u64::MAX));
        });
        assert_eq!(script.finish(), ["SELECT 7,x'273b5c00ff',x'',NULL,18446744073709551615;"]);
    }

    #[test]
    fn statements_and_messages_end_before_they_are_too_long() {
        let mut script = Script::default();
        script.each("A", 0..1200_u32, "Z", |statement, number| {
            statement.number(number);
        });
        let [message] = &script.finish()[..] else { unreachable!("a single message") };
        assert_eq!(message.matches('A').count(), 3);
        assert!(message.contains("A0,1,") && message.contains("499Z;A500,") && message.ends_with("1199Z;"));

        let (mut script, largest) = (Script::default(), vec![0; 1 << 20]);
        script.each("A", 0..3_u32, "Z", |statement, _| {
            statement.bytes(&largest);
        });
        let messages = script.finish();
        assert_eq!(messages.len(), 3);
        assert!(messages.iter().all(|message| message.len() < 4 << 20 && message.ends_with("Z;")));

        let mut script = Script::default();
        script.each("A", [0_u32; 0], "Z", |_, _| unreachable!("there is none"));
        assert!(script.finish().is_empty());
    }
}
