//! The app's keywords: added, listed, removed, and looked for on demand.

use serde_json::{Value, json};
use testkit::{Answer, World};

const ADD: &str = "im_msg_audit/add_local_audit_keywords";
const DELETE: &str = "im_msg_audit/delete_local_audit_keywords";
const GET: &str = "im_msg_audit/get_local_audit_keywords";
const MODERATE: &str = "im_msg_audit/content_moderation";
const MODERATE_MANY: &str = "im_msg_audit/batch_content_moderation";

async fn world() -> World {
    World::new(app::commands).await
}

fn refused(word: &str) -> Value {
    json!({"Keyword": word, "WordType": 1, "FilterType": 2, "ReplacedContent": ""})
}

fn replaced(word: &str, by: &str) -> Value {
    json!({"Keyword": word, "WordType": 1, "FilterType": 1, "ReplacedContent": by})
}

fn expression(text: &str) -> Value {
    json!({"Keyword": text, "WordType": 2, "FilterType": 2, "ReplacedContent": ""})
}

async fn add(world: &World, words: &[Value]) -> Answer {
    world.rest(ADD, json!({ "LocalAuditWords": words })).await
}

async fn listed(world: &World, query: Value) -> Answer {
    world.rest(GET, query).await.ok()
}

fn words(page: &Answer) -> Vec<&str> {
    page.list("LocalAuditWords").iter().filter_map(|word| word["Keyword"].as_str()).collect()
}

fn counts(page: &Answer) -> [u64; 4] {
    ["TotalCount", "TotalRegCount", "CurCount", "CurRegCount"]
        .map(|name| page[name].as_u64().unwrap_or(u64::MAX))
}

async fn moderated(world: &World, content: &str) -> Answer {
    let body = json!({"AuditName": "C2C", "ContentType": "Text", "Content": content});
    world.rest(MODERATE, body).await
}

#[tokio::test(start_paused = true)]
async fn keywords_are_added_changed_listed_and_removed() {
    let mut world = world().await;
    let app = world.app.id.0;
    let first = [refused("Bad"), replaced("darn", "****"), expression(r"\d{11}"), refused("敏感词")];
    let answer = world.rest(ADD, json!({"SdkAppId": app, "LocalAuditWords": first})).await.ok();
    assert_eq!(answer.text("RequestId").len(), 32);
    world.crash().await;
    let page = listed(&world, json!({"SdkAppId": app, "FilterType": 0, "Offset": 0, "Limit": 100})).await;
    assert_eq!(page.list("LocalAuditWords"), [&first[0], &first[1], &first[3], &first[2]].map(Value::clone));
    assert_eq!(counts(&page), [4, 1, 4, 1]);
    // One that is there is changed, whatever the case of its letters.
    add(&world, &[replaced("BAD", "good")]).await.ok();
    let page = listed(&world, json!({"FilterType": 1})).await;
    assert_eq!(page.list("LocalAuditWords"), [replaced("BAD", "good"), first[1].clone()]);
    assert_eq!(counts(&page), [4, 1, 2, 0]);
    // By what kind it is, page by page, and by a part of the word.
    for (query, expected) in [
        (json!({"FilterType": 2}), vec!["敏感词", r"\d{11}"]),
        (json!({"Limit": 2}), vec!["BAD", "darn"]),
        (json!({"Limit": 2, "Offset": 2}), vec!["敏感词", r"\d{11}"]),
        (json!({"Offset": 4}), vec![]),
        (json!({"Keyword": "aD"}), vec!["BAD"]),
        (json!({"Keyword": "感"}), vec!["敏感词"]),
        (json!({"Keyword": "a", "Offset": 1}), vec!["darn"]),
        (json!({"Keyword": "absent"}), vec![]),
    ] {
        assert_eq!(words(&listed(&world, query.clone()).await), expected, "{query}");
    }
    let gone = json!({"LocalAuditWords": [{"Keyword": "bad"}, {"Keyword": "absent", "WordType": 1},
        {"Keyword": r"\d{11}", "WordType": 1}]});
    assert_eq!(world.rest(DELETE, gone).await.ok().text("RequestId").len(), 32);
    assert_eq!(words(&listed(&world, json!({})).await), ["darn", "敏感词", r"\d{11}"]);
    let gone = json!({"LocalAuditWords": [{"Keyword": r"\d{11}", "WordType": 2}]});
    world.rest(DELETE, gone).await.ok();
    assert_eq!(counts(&listed(&world, json!({})).await), [2, 0, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn both_services_of_the_reference_lead_to_the_same_keywords_and_apps_have_their_own() {
    let world = world().await;
    let body = json!({"LocalAuditWords": [refused("bad")]});
    world.rest("im_msg_audit_mgr/add_local_audit_keywords", body.clone()).await.ok();
    let page = world.rest("im_msg_audit_mgr/get_local_audit_keywords", json!({})).await.ok();
    assert_eq!(words(&page), ["bad"]);
    let other = world.new_app("other").await;
    let page = world.rest_as(&other, "administrator", GET, json!({})).await.ok();
    assert_eq!(counts(&page), [0; 4]);
    let looked = json!({"AuditName": "C2C", "ContentType": "Text", "Content": "bad"});
    assert_eq!(world.rest_as(&other, "administrator", MODERATE, looked).await.ok()["Result"], "Pass");
    world.rest("im_msg_audit_mgr/delete_local_audit_keywords", body).await.ok();
    assert_eq!(counts(&listed(&world, json!({})).await), [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn mistakes_have_the_documented_numbers_and_change_nothing() {
    let world = world().await;
    let with = |field: &str, value: Value| {
        let mut word = replaced("word", "*");
        word[field] = value;
        json!({"LocalAuditWords": [refused("fine"), word]})
    };
    let many: Vec<Value> = (0..11).map(|number| refused(&format!("word{number}"))).collect();
    for (command, body, code, field) in [
        (ADD, json!({}), 2003, "LocalAuditWords"),
        (ADD, json!({"LocalAuditWords": []}), 2016, "LocalAuditWords"),
        (ADD, json!({ "LocalAuditWords": many }), 2016, "LocalAuditWords"),
        (ADD, json!({"SdkAppId": 1, "LocalAuditWords": [refused("a")]}), 2003, "SdkAppId"),
        (ADD, with("Keyword", json!("")), 2003, "LocalAuditWords[1].Keyword"),
        (ADD, with("Keyword", json!("x".repeat(101))), 2003, "LocalAuditWords[1].Keyword"),
        (ADD, with("Keyword", json!(7)), 2003, "LocalAuditWords[1].Keyword"),
        (ADD, with("WordType", json!(3)), 2003, "LocalAuditWords[1].WordType"),
        (ADD, with("FilterType", json!(0)), 2003, "LocalAuditWords[1].FilterType"),
        (ADD, with("ReplacedContent", json!("")), 2003, "LocalAuditWords[1].ReplacedContent"),
        (ADD, with("ReplacedContent", json!("x".repeat(101))), 2003, "LocalAuditWords[1].ReplacedContent"),
        (ADD, json!({"LocalAuditWords": [expression("(")]}), 2003, "LocalAuditWords[0].Keyword"),
        (ADD, json!({"LocalAuditWords": [expression("a*")]}), 2003, "LocalAuditWords[0].Keyword"),
        (DELETE, json!({"LocalAuditWords": []}), 2016, "LocalAuditWords"),
        (DELETE, json!({ "LocalAuditWords": many }), 2016, "LocalAuditWords"),
        (DELETE, json!({"LocalAuditWords": [{"WordType": 1}]}), 2003, "Keyword"),
        (DELETE, json!({"LocalAuditWords": [{"Keyword": "a", "WordType": 0}]}), 2003, "WordType"),
        (GET, json!({"Limit": 0}), 2003, "Limit"),
        (GET, json!({"Limit": 101}), 2003, "Limit"),
        (GET, json!({"FilterType": 3}), 2003, "FilterType"),
        (GET, json!({"Offset": -1}), 2003, "Offset"),
        (GET, json!({"SdkAppId": "x"}), 2003, "SdkAppId"),
    ] {
        world.rest(command, body).await.refused(code, field);
    }
    assert_eq!(counts(&listed(&world, json!({})).await), [0; 4]);
    let mut alice = world.login("alice").await;
    for command in [ADD, DELETE, GET, MODERATE, MODERATE_MANY] {
        alice.call(&command.replace('/', "."), json!({})).await.refused(60010, "");
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_has_a_thousand_keywords_and_a_hundred_of_them_may_be_expressions() {
    let world = world().await;
    for ten in 0..10 {
        let expressions: Vec<Value> = (0..10).map(|one| expression(&format!("x{ten}{one}+"))).collect();
        add(&world, &expressions).await.ok();
    }
    add(&world, &[expression("more+")]).await.refused(2003, "LocalAuditWords");
    for ten in 0..90 {
        let words: Vec<Value> = (0..10).map(|one| refused(&format!("word {ten} {one}."))).collect();
        add(&world, &words).await.ok();
    }
    add(&world, &[refused("more")]).await.refused(2003, "1000");
    assert_eq!(counts(&listed(&world, json!({})).await), [1000, 100, 1000, 100]);
    // One that is there can still be changed.
    add(&world, &[replaced("WORD 7 7.", "*")]).await.ok();
    assert_eq!(moderated(&world, "word 89 9.").await.ok()["Result"], "Block");
    assert_eq!(moderated(&world, "x42").await.ok()["Keywords"], json!(["x42+"]));
    world.rest(DELETE, json!({"LocalAuditWords": [refused("word 0 0.")]})).await.ok();
    add(&world, &[refused("more")]).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_text_is_looked_at_on_demand_and_changes_of_the_list_are_effective_at_once() {
    let world = world().await;
    let answer = moderated(&world, "a BAD, darn text").await.ok();
    let pass = json!({"Result": "Pass", "Score": 0, "Label": "Normal", "Keywords": []});
    let judged = |answer: &Answer| {
        let fields = ["Result", "Score", "Label", "Keywords"];
        Value::Object(fields.iter().map(|name| ((*name).to_owned(), answer[name].clone())).collect())
    };
    assert_eq!(judged(&answer), pass);
    assert_eq!(answer.text("RequestId").len(), 32);
    add(&world, &[refused("bad"), replaced("darn", "*"), refused("absent")]).await.ok();
    let answer = moderated(&world, "a BAD, darn text").await.ok();
    let block = json!({"Result": "Block", "Score": 100, "Label": "Composite", "Keywords": ["bad", "darn"]});
    assert_eq!(judged(&answer), block);
    world.rest(DELETE, json!({"LocalAuditWords": [refused("bad"), refused("darn")]})).await.ok();
    assert_eq!(judged(&moderated(&world, "a BAD, darn text").await.ok()), pass);
    moderated(&world, &"x".repeat(8192)).await.ok();
    moderated(&world, &"x".repeat(8193)).await.refused(93000, "Content");
    for (body, code, field) in [
        (json!({"AuditName": "C2C", "ContentType": "Image", "Content": "http://a/b"}), 2015, "ContentType"),
        (json!({"AuditName": "C2C", "ContentType": "Video", "Content": "http://a/b"}), 2015, "ContentType"),
        (json!({"AuditName": "Other", "ContentType": "Text", "Content": "x"}), 2003, "AuditName"),
        (json!({"ContentType": "Text", "Content": "x"}), 2003, "AuditName"),
        (json!({"AuditName": "C2C", "ContentType": "Text"}), 2003, "Content"),
    ] {
        world.rest(MODERATE, body).await.refused(code, field);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_looked_at_one_by_one() {
    let world = world().await;
    add(&world, &[refused("bad")]).await.ok();
    let item = |id: u64, kind: &str, content: &str| json!({"ContentId": id, "ContentType": kind, "Content": content});
    let batch = |items: Vec<Value>| json!({"AuditName": "UserInfo", "Contents": items});
    let long = "x".repeat(8193);
    let items = vec![
        item(7, "Text", "too bad"),
        item(8, "Image", "http://a/b"),
        item(9, "Text", "fine"),
        item(10, "Text", &long),
    ];
    let answer = world.rest(MODERATE_MANY, batch(items)).await.ok();
    assert_eq!(answer.text("RequestId").len(), 32);
    let results = answer.list("AuditResults");
    let seen: Vec<Value> = results
        .iter()
        .map(|result| json!([result["ContentId"], result["ErrorCode"], result["Result"], result["Keywords"]]))
        .collect();
    let expected = [
        json!([7, 0, "Block", ["bad"]]),
        json!([8, 2015, null, null]),
        json!([9, 0, "Pass", []]),
        json!([10, 93000, null, null]),
    ];
    assert_eq!(seen, expected);
    let many = |count: u64| (0..count).map(|id| item(id, "Text", "x")).collect::<Vec<_>>();
    world.rest(MODERATE_MANY, batch(many(10))).await.ok();
    for (items, code, field) in [
        (vec![], 93008, "Contents"),
        (many(11), 93008, "Contents"),
        (vec![item(1, "Text", "a"), item(1, "Text", "b")], 93007, "Contents[1].ContentId"),
        (vec![item(1, "Audio", "a")], 93005, "Contents[0].ContentType"),
        (vec![json!({"ContentId": 1, "ContentType": "Text"})], 2003, "Content"),
    ] {
        world.rest(MODERATE_MANY, batch(items)).await.refused(code, field);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_has_the_number_of_its_family() {
    let world = world().await;
    world.accounts(&["administrator"]).await;
    listed(&world, json!({})).await;
    world.store.set_unavailable(true);
    world.rest(GET, json!({})).await.refused(2001, "");
    moderated(&world, "text").await.refused(2001, "");
    let contents = json!([{"ContentId": 1, "ContentType": "Text", "Content": "text"}]);
    let batch = json!({"AuditName": "C2C", "Contents": contents});
    let answer = world.rest("im_msg_audit/batch_content_moderation", batch).await.ok();
    assert_eq!(answer.list("AuditResults")[0]["ErrorCode"], 2001);
    world.rest("openconfigsvr/getappinfo", json!({})).await.refused(130_011, "");
    world.store.set_unavailable(false);
    moderated(&world, "text").await.ok();
}
