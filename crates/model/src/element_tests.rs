//! What a message body may be.

use super::*;

fn check(body: &str) -> Result<String, ErrorCode> {
    let raw: &RawValue = serde_json::from_str(body).unwrap();
    normalise(raw).map(|(bytes, _)| String::from_utf8(bytes.into()).unwrap()).map_err(|error| error.code)
}

type Result<T, E> = std::result::Result<T, E>;

fn element(kind: &str, content: &str) -> String {
    format!(r#"[{{"MsgType":"{kind}","MsgContent":{content}}}]"#)
}

#[test]
fn every_documented_element_comes_back_as_it_was() {
    for (kind, content) in [
        ("TIMTextElem", r#"{"Text":"hello \"you\" 😀"}"#),
        ("TIMCustomElem", r#"{"Data":"d","Desc":"","Ext":"e","Sound":"s"}"#),
        ("TIMFaceElem", r#"{"Index":6,"Data":"abc"}"#),
        (
            "TIMLocationElem",
            r#"{"Desc":"here","Latitude":29.340656774469956,"Longitude":116.77497920478824}"#,
        ),
        (
            "TIMImageElem",
            r#"{"UUID":"u","ImageFormat":1,"ImageInfoArray":[{"Type":1,"Size":1,"Width":2,"Height":3,"URL":"https://a/b"}]}"#,
        ),
        ("TIMSoundElem", r#"{"Url":"https://a","UUID":"u","Size":62351,"Second":1,"Download_Flag":2}"#),
        (
            "TIMFileElem",
            r#"{"Url":"https://a","UUID":"u","FileSize":1773552,"FileName":"f.ppt","Download_Flag":2}"#,
        ),
        (
            "TIMVideoFileElem",
            r#"{"VideoUrl":"https://a","VideoUUID":"u","VideoSize":1,"VideoSecond":1.5,"VideoFormat":"mp4","VideoDownloadFlag":2,"ThumbUrl":"https://b","ThumbUUID":"t","ThumbSize":1,"ThumbWidth":2,"ThumbHeight":3,"ThumbFormat":"JPG","ThumbDownloadFlag":2}"#,
        ),
        (
            "TIMRelayElem",
            r#"{"Title":"t","AbstractList":["a","b"],"CompatibleText":"c","Version":1,"LayersOverLimit":0,"MsgList":[{"Any":1}],"JsonMsgKey":"","PbMsgKey":""}"#,
        ),
    ] {
        let body = element(kind, content);
        assert_eq!(check(&body), Ok(body.clone()), "{kind}");
    }
}

#[test]
fn several_elements_keep_their_order_and_unknown_fields_are_dropped() {
    let body = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a","Extra":{"$ne":""}},"More":1},{"MsgContent":{"Index":1,"Data":"x"},"MsgType":"TIMFaceElem"}]"#;
    assert_eq!(
        check(body).unwrap(),
        r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}},{"MsgType":"TIMFaceElem","MsgContent":{"Index":1,"Data":"x"}}]"#
    );
}

#[test]
fn bad_bodies_get_the_documented_code() {
    for (body, code) in [
        ("{}", ErrorCode::BodyNotArray),
        ("\"text\"", ErrorCode::BodyNotArray),
        ("[]", ErrorCode::MessageBodyMalformed),
        ("[1]", ErrorCode::MessageBodyMalformed),
        (r#"[{"MsgType":"TIMTextElem"}]"#, ErrorCode::MessageBodyMalformed),
        (r#"[{"MsgContent":{}}]"#, ErrorCode::MessageBodyMalformed),
        (&element("TIMTextElem", r#"{"Text":1}"#), ErrorCode::ElementMalformed),
        (&element("TIMTextElem", r#"{"Text":{"$ne":""}}"#), ErrorCode::ElementMalformed),
        (&element("TIMTextElem", "{}"), ErrorCode::ElementMalformed),
        (&element("TIMTextElem", "[]"), ErrorCode::ElementMalformed),
        (&element("TIMFaceElem", r#"{"Index":"1"}"#), ErrorCode::ElementMalformed),
        (&element("TIMFileElem", r#"{"FileSize":-1}"#), ErrorCode::ElementMalformed),
        (&element("TIMFileElem", r#"{"FileSize":1e999}"#), ErrorCode::ElementMalformed),
        (&element("TIMNothing", "{}"), ErrorCode::ElementMalformed),
        (&element("TIM\\\"}]Elem", "{}"), ErrorCode::ElementMalformed),
    ] {
        assert_eq!(check(body), Err(code), "{body}");
    }
}

#[test]
fn the_numbers_of_elements_and_merged_messages_are_bounded() {
    let many = |count| {
        format!("[{}]", vec![r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":""}}"#; count].join(","))
    };
    assert!(check(&many(ELEMENTS_MAX)).is_ok());
    assert_eq!(check(&many(ELEMENTS_MAX + 1)), Err(ErrorCode::MessageBodyMalformed));
    let merged =
        |count| element("TIMRelayElem", &format!(r#"{{"MsgList":[{}]}}"#, vec!["{}"; count].join(",")));
    assert!(check(&merged(MERGED_MESSAGES_MAX)).is_ok());
    assert_eq!(check(&merged(MERGED_MESSAGES_MAX + 1)), Err(ErrorCode::ElementMalformed));
    let custom = r#"{"MsgType":"TIMCustomElem","MsgContent":{"Data":""}}"#;
    assert_eq!(check(&format!("[{custom},{custom}]")), Err(ErrorCode::ElementMalformed));
}

#[test]
fn an_error_names_the_field_and_not_the_content() {
    let raw: &RawValue =
        serde_json::from_str(r#"[{"MsgType":"TIMFaceElem","MsgContent":{"Index":"secret words"}}]"#).unwrap();
    let info = normalise(raw).unwrap_err().info;
    assert!(info.contains("MsgBody[0]") && !info.contains("secret"), "{info}");
}

#[test]
fn a_message_counts_as_the_weightiest_of_what_it_carries() {
    let text = r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":"{\"MsgType\":\"TIMVideoFileElem\"}"}}"#;
    let image = r#"{"MsgType":"TIMImageElem","MsgContent":{"ImageInfoArray":[]}}"#;
    let sound = r#"{"MsgType":"TIMSoundElem","MsgContent":{}}"#;
    let video = r#"{"MsgType":"TIMVideoFileElem","MsgContent":{}}"#;
    let file = r#"{"MsgType":"TIMFileElem","MsgContent":{}}"#;
    let cases = [
        (vec![text], Medium::Text),
        (vec![text, file], Medium::File),
        (vec![image, file], Medium::Photo),
        (vec![image, sound, text], Medium::Audio),
        (vec![video, sound, image, file, text], Medium::Video),
    ];
    for (elements, carried) in cases {
        let body: Box<RawValue> = RawValue::from_string(format!("[{}]", elements.join(","))).unwrap();
        assert_eq!(normalise(&body).unwrap().1, carried, "{elements:?}");
    }
}

#[test]
fn texts_change_in_text_elements_alone_and_the_rest_stays_byte_by_byte() {
    let body = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"one \"1\""}},{"MsgType":"TIMCustomElem","MsgContent":{"Data":"one"}},{"MsgType":"TIMTextElem","MsgContent":{"Text":"two"}}]"#;
    let change = |text: &str| Ok(text.starts_with("one").then(|| "a \"quote\"".to_owned()));
    let changed = change_texts(body.as_bytes(), change).unwrap().unwrap();
    let expected = body.replace(r#"one \"1\""#, r#"a \"quote\""#);
    assert_eq!(String::from_utf8(changed.into()).unwrap(), expected);
    assert_eq!(change_texts(body.as_bytes(), |_| Ok(None)), Ok(None));
    let refused = change_texts(body.as_bytes(), |_| Err(ErrorCode::TextRefused.into()));
    assert_eq!(refused.map_err(|error| error.code), Err(ErrorCode::TextRefused));
    let malformed = change_texts(b"[{}]", |_| Ok(None));
    assert_eq!(malformed.map_err(|error| error.code), Err(ErrorCode::MessageBodyMalformed));
}
