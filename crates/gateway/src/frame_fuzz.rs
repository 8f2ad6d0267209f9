//! Whatever bytes come as a frame: both ways of reading it say the same, and so does any other reader of JSON.

use fuzzing::{Choices, vary};
use serde_json::{Value, json};

use super::*;

const FRAMES: &[&str] = &[
    r#"{"head":{"servcmd":"openim.sendmsg","seq":7,"a2":"key"},"body":{"To_Account":"bob","MsgRandom":1}}"#,
    r#"{"head":{"ver":"v4","platform":7,"sdkappid":1400000001,"identifier":"alice","usersig":"eJw*-_","contenttype":"json","servcmd":"im_open_status.wslogin","seq":18446744073709551615},"body":{"State":"Online","n":[1.50,-2e3,null,true]}}"#,
    r#"{"head":{"servcmd":"a","seq":1,"more":{"x":["}",{}]}},"body":{"x":{"y":"\u00fc\"}"}}}"#,
    r#"{"head":{"servcmd":"a","seq":1},"body":{"x":1},"more":{"y":"}"}}"#,
    r#" { "body" : {"x":2} , "head":{"servcmd":"\u0061.b","seq":1,"identifier":null}}"#,
    r#"{"head":{"servcmd":"a","seq":1}}"#,
    r#"{"head":{"servcmd":"a","seq":1},"body":null}"#,
];

/// What a head says.
fn said(frame: &Frame<'_>) -> Value {
    let Head { servcmd, seq, sdkappid, identifier, usersig, a2 } = &frame.head;
    json!({
        "servcmd": servcmd, "seq": seq, "sdkappid": sdkappid,
        "identifier": identifier, "usersig": usersig, "a2": a2,
    })
}

fn frame(choices: &mut Choices<'_>) -> bool {
    let bytes = vary(choices, FRAMES);
    let (read, whole) = (Frame::read(&bytes).ok(), Frame::read_whole(&bytes).ok());
    let shown = String::from_utf8_lossy(&bytes);
    assert!(read.is_some() || whole.is_none(), "a glance refuses what is right: {shown}");
    let Some(whole) = whole else {
        assert!(read.is_none_or(|read| read.is_wrong_guess()), "a glance takes what is wrong: {shown}");
        return false;
    };
    if let Some(read) = read {
        assert_eq!(said(&read), said(&whole), "{shown}");
        let is_same = read.body.trim_start_matches([' ', '\n', '\r', '\t']) == whole.body;
        assert!(is_same || read.is_wrong_guess(), "{shown}");
    }
    assert!(!whole.is_wrong_guess(), "{shown}");
    assert!(whole.head.servcmd.len() <= NAME_BYTES_MAX, "{shown}");
    let is_borrowed = bytes.as_ptr_range().contains(&whole.body.as_ptr());
    assert!(is_borrowed || whole.body == "{}", "a body is not copied: {shown}");
    agrees_with_another_reader(&bytes, &whole);
    is_read_back(&whole);
    true
}

/// A reader that makes a tree of everything finds the same fields.
fn agrees_with_another_reader(bytes: &[u8], frame: &Frame<'_>) {
    // What is too deep or too large for a tree is not compared, nor is an array in the place of an object.
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return };
    let Some(head) = value["head"].as_object() else { return };
    for (name, said) in said(frame).as_object().unwrap() {
        assert_eq!(head.get(name).unwrap_or(&Value::Null), said, "{name}: {value}");
    }
    let body = match value["body"].take() {
        Value::Null => json!({}),
        body => body,
    };
    assert_eq!(serde_json::from_str::<Value>(frame.body).unwrap(), body);
}

/// What was read can be written, as a request and as an answer, and is read back.
fn is_read_back(frame: &Frame<'_>) {
    let request = format!(r#"{{"head":{},"body":{}}}"#, said(frame), frame.body);
    let again = Frame::read(request.as_bytes()).unwrap_or_else(|error| panic!("{error}: {request}"));
    assert_eq!((said(&again), again.body, again.is_wrong_guess()), (said(frame), frame.body, false));
    let written = answer(&frame.head.servcmd, frame.head.seq, frame.body.as_bytes());
    let again = Frame::read_whole(&written).unwrap_or_else(|error| panic!("{error}: {written:?}"));
    let (head, body) = (&again.head, again.body);
    assert_eq!((&head.servcmd, head.seq, body), (&frame.head.servcmd, frame.head.seq, frame.body));
}

#[test]
fn frames() {
    fuzzing::target!(4_000, frame);
}
