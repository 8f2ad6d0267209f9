//! Hands words that are split already to the library, in the form in which it takes texts: everything else that it takes
//! goes through JSON, word by word.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};

use crate::words::Text;

/// What the library knows it by.
pub(crate) const NAME: &str = "whimbrel-words";

/// Knows how written words are read, besides what the library asks for in any case.
pub(crate) fn manager() -> TokenizerManager {
    let manager = TokenizerManager::default();
    manager.register(NAME, Written);
    manager
}

/// Reads what [`Text::written`] says.
#[derive(Clone)]
struct Written;

impl Tokenizer for Written {
    type TokenStream<'a> = Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms {
        Terms { left: Text::read(text).terms().into_iter(), token: Token::default() }
    }
}

/// The terms of a text, one after the other.
struct Terms {
    left: std::vec::IntoIter<(usize, String)>,
    token: Token,
}

impl TokenStream for Terms {
    fn advance(&mut self) -> bool {
        let Some((position, text)) = self.left.next() else { return false };
        self.token = Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 };
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
