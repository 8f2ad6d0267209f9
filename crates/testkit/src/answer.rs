//! What a client hears: answers and pushes.

use std::ops::Index;

use serde_json::Value;

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(pub Value);

impl Answer {
    /// The number of the error; 0 for success.
    #[must_use]
    pub fn code(&self) -> i64 {
        self.0["ErrorCode"].as_i64().expect("an answer has an ErrorCode")
    }

    /// What the answer says was wrong.
    #[must_use]
    pub fn info(&self) -> &str {
        self.0["ErrorInfo"].as_str().expect("an answer has an ErrorInfo")
    }

    /// The answer, which must be one of success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code(), 0, "refused: {}", self.0);
        assert_eq!(self.0["ActionStatus"], "OK", "{}", self.0);
        self
    }

    /// The answer, which must be a refusal with this number, whose text names `field` (empty: any).
    #[track_caller]
    pub fn refused(self, code: i64, field: &str) -> Self {
        assert_eq!(self.code(), code, "{}", self.0);
        assert_eq!(self.0["ActionStatus"], "FAIL", "{}", self.0);
        assert!(self.info().contains(field), "{field} is not named: {}", self.0);
        self
    }

    /// A text of the answer.
    #[must_use]
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        match &self.0[name] {
            Value::String(text) => text.clone(),
            other => panic!("{name} is no text: {other}"),
        }
    }

    /// A list of the answer.
    #[must_use]
    #[track_caller]
    pub fn list(&self, name: &str) -> &[Value] {
        match &self.0[name] {
            Value::Array(list) => list,
            other => panic!("{name} is no list: {other}"),
        }
    }

    /// Whether the answer has this field.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.0[name]
    }
}

/// A frame that the server sent by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// Its name.
    pub servcmd: String,
    /// Its number: that of a request, if it is an answer that nobody waited for.
    pub seq: u64,
    /// Its body.
    pub body: Value,
}

impl Push {
    /// The content of its one item, which is a message push holding `key`.
    #[must_use]
    #[track_caller]
    pub fn item(&self, key: &str) -> &Value {
        assert_eq!(self.servcmd, "im_open_push.msg_push", "{}", self.body);
        self.content(key)
    }

    /// The content of its one notice about one-to-one messages, which is one holding `key`.
    #[must_use]
    #[track_caller]
    pub fn notice(&self, key: &str) -> &Value {
        let notices = self.item("C2cNotifyMsgArray");
        assert_eq!(notices.as_array().map(Vec::len), Some(1), "{}", self.body);
        let content = notices[0].get(key);
        content.unwrap_or_else(|| panic!("no {key}: {}", self.body))
    }

    /// The kind of the kick that it is.
    #[must_use]
    #[track_caller]
    pub fn kick(&self) -> i64 {
        assert_eq!(self.servcmd, "im_open_status.stat_forceoffline", "{}", self.body);
        let kick = &self.content("C2cNotifyMsgArray")[0]["KickoutMsgNotify"];
        kick["KickType"].as_i64().expect("a kick has a kind")
    }

    /// The number of its one item.
    #[must_use]
    pub fn event(&self) -> i64 {
        self.body["EventArray"][0]["Event"].as_i64().unwrap_or_default()
    }

    #[track_caller]
    fn content(&self, key: &str) -> &Value {
        let items = self.body["EventArray"].as_array();
        let items = items.unwrap_or_else(|| panic!("no items: {}", self.body));
        assert_eq!(items.len(), 1, "{}", self.body);
        items[0].get(key).unwrap_or_else(|| panic!("no {key}: {}", self.body))
    }
}
