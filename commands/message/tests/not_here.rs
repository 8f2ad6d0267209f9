//! What clients ask for and this server does not do: `im_open_translate/ws_batch_trans_text` and
//! `im_open_speech/ws_sentence_recognition` say so where clients look for it.

use serde_json::json;
use testkit::World;

#[tokio::test(start_paused = true)]
async fn translation_and_speech_are_refused_where_clients_look_for_it() {
    let world = World::new(message::commands).await;
    let mut alice = world.login("alice").await;
    for (command, body) in [
        (
            "im_open_translate.ws_batch_trans_text",
            json!({"SourceText": ["hi"], "Source": "en", "Target": "de"}),
        ),
        ("im_open_speech.ws_sentence_recognition", json!({"BytesUrl": "http://x/a.m4a"})),
    ] {
        let answer = alice.call(command, body).await.refused(60020, "");
        assert_eq!(answer["CmdErrorCode"]["ErrorCode"], 60020);
        assert!(answer["CmdErrorCode"]["ErrorInfo"].is_string());
    }
}
