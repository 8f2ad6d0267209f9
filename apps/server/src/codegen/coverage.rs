//! `api/coverage.md`: all that the documented service offers, and what this build answers of it.

use std::collections::BTreeSet;

use command::Table;

use super::{literal, markdown_table};

const HEAD: &str = "# Coverage

Generated from the code by `cargo xtask codegen`; do not edit. What the documented service offers, and what this build answers of
it. A command that is not built answers error 60009, over REST and over the socket, never an invented success.

";

const METHODS_HEAD: &str = "
## Methods of the client SDK

A method *works* if this build answers every command that it sends, or if it works in the client alone; *partly*, if some of
them are answered: mostly those of one-to-one conversations and not yet those of groups. For communities the commands of
`group_open_http_svc` go to `million_group_open_http_svc`. Lists of groups, which this build does not keep, are
answered and are truly empty.

";

const EVENTS_HEAD: &str = "
## Events of the client SDK

An event *comes* if everything that causes it is answered or pushed; *partly*, if some of it is.

";

/// What this build pushes: payloads in the frames of `engine::push`.
const PUSHED: &[&str] = &[
    "BlackListAdd_Account",
    "BlackListDel_Account",
    "C2cMsgArray",
    "C2cMsgInfo",
    "C2cMsgModNotifys",
    "C2cReadedReceipt",
    "FollowChangeList",
    "FriendAdd_Account",
    "KickoutMsgNotify",
    "MsgExtensionNotify",
    "MsgReactionNotify",
    "MsgReactionNotifyList",
    "PendencyAdd",
    "ProfileDataMod",
    "ReadC2cMsgNotify",
    "RecentContactCreateContactGroup",
    "RecentContactDelContactGroup",
    "RecentContactMod",
    "RecentContactUpdateContactGroup",
    "UserStatusList",
    "WithdrawC2cMsgNotify",
];

/// The webhooks that this build calls.
const CALLED: &[&str] = &[];

/// A line of one of the lists: what it is about, and what that depends on.
struct Item {
    name: &'static str,
    needs: Vec<&'static str>,
}

fn items(text: &'static str) -> Vec<Item> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split(' ');
            Item { name: words.next().unwrap_or_default(), needs: words.collect() }
        })
        .collect()
}

fn rest_commands() -> Vec<Item> {
    items(include_str!("data/rest.txt"))
}

fn webhooks() -> Vec<Item> {
    items(include_str!("data/webhooks.txt"))
}

fn methods() -> Vec<Item> {
    items(include_str!("data/sdk_methods.txt"))
}

fn events() -> Vec<Item> {
    items(include_str!("data/sdk_events.txt"))
}

/// The document.
pub(super) fn document(table: &Table) -> String {
    let parts = [
        rest_part(table),
        webhook_part(),
        client_part("methods of the client SDK", "works", METHODS_HEAD, &methods(), &on_socket(table)),
        client_part("events of the client SDK", "comes", EVENTS_HEAD, &events(), &caused(table)),
    ];
    let totals = parts.iter().map(|part| part.total.clone());
    let mut text = HEAD.to_owned() + &markdown_table(["", "whole", "partly", "not built", "of"], totals);
    for part in &parts {
        text += &part.text;
    }
    text
}

/// A part of the document, and its row of the totals.
struct Part {
    total: [String; 5],
    text: String,
}

fn total(name: &str, whole: usize, partly: usize, of: usize) -> [String; 5] {
    let none = of - whole - partly;
    [name.to_owned(), whole.to_string(), partly.to_string(), none.to_string(), of.to_string()]
}

fn rest_part(table: &Table) -> Part {
    let commands = rest_commands();
    let is_answered = |item: &Item| {
        let found = table.find(item.name);
        found.is_some_and(|(_, command)| command.spec().callers.administrator)
    };
    let rows = commands.iter().map(|item| {
        let answer = if is_answered(item) { "answered" } else { "60009" };
        [literal(item.name), answer.to_owned()]
    });
    let answered = commands.iter().filter(|item| is_answered(item)).count();
    Part {
        total: total("REST commands", answered, 0, commands.len()),
        text: format!("\n## REST commands\n\n{}", markdown_table(["command", "this build"], rows)),
    }
}

fn webhook_part() -> Part {
    let webhooks = webhooks();
    let is_called = |item: &Item| CALLED.contains(&item.name);
    let rows = webhooks.iter().map(|item| {
        let answer = if is_called(item) { "called" } else { "not built" };
        [literal(item.name), item.needs.concat(), answer.to_owned()]
    });
    let called = webhooks.iter().filter(|item| is_called(item)).count();
    let text = markdown_table(["webhook", "comes", "this build"], rows);
    Part { total: total("webhooks", called, 0, webhooks.len()), text: format!("\n## Webhooks\n\n{text}") }
}

/// Methods or events, judged by what of their needs is there.
fn client_part(name: &str, whole: &str, head: &str, items: &[Item], there: &BTreeSet<&str>) -> Part {
    let count = |item: &Item| item.needs.iter().filter(|need| there.contains(*need)).count();
    let is_whole = |item: &Item| count(item) == item.needs.len();
    let rows = items.iter().map(|item| {
        let answer = match count(item) {
            _ if item.needs.is_empty() => format!("{whole} (client alone)"),
            _ if is_whole(item) => whole.to_owned(),
            0 => "not built".to_owned(),
            _ => "partly".to_owned(),
        };
        let (built, missing): (Vec<&str>, Vec<&str>) =
            item.needs.iter().partition(|need| there.contains(*need));
        [literal(item.name), answer, literals(&built), literals(&missing)]
    });
    let wholes = items.iter().filter(|item| is_whole(item)).count();
    let partly = items.iter().filter(|item| !is_whole(item) && count(item) > 0).count();
    Part {
        total: total(name, wholes, partly, items.len()),
        text: head.to_owned() + &markdown_table(["name", "this build", "built", "missing"], rows),
    }
}

fn literals(names: &[&str]) -> String {
    names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ")
}

/// The commands that clients may call.
fn on_socket(table: &Table) -> BTreeSet<&'static str> {
    let is_for_clients = |callers: command::Callers| callers.account || callers.nobody;
    table
        .all()
        .map(command::AnyCommand::spec)
        .filter(|spec| is_for_clients(spec.callers))
        // What is there only to say that it is not.
        .filter(|spec| !spec.errors.contains(&model::ErrorCode::FeatureMissing))
        .map(|spec| spec.name)
        .collect()
}

/// All that can cause an event.
fn caused(table: &Table) -> BTreeSet<&'static str> {
    on_socket(table).into_iter().chain(PUSHED.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole_and_name_everything_once() {
        for (list, length) in [(rest_commands(), 175), (webhooks(), 55), (methods(), 147), (events(), 43)] {
            let names: BTreeSet<&str> = list.iter().map(|item| item.name).collect();
            assert_eq!((list.len(), names.len()), (length, length));
        }
        for item in rest_commands() {
            assert!(item.name.split('/').count() == 2 && item.needs.is_empty(), "{}", item.name);
        }
        for item in webhooks() {
            assert!(matches!(item.needs[..], ["before" | "after"]), "{}", item.name);
        }
    }

    #[test]
    fn every_command_of_administrators_is_a_documented_one() {
        let documented: BTreeSet<&str> = rest_commands().iter().map(|item| item.name).collect();
        for command in crate::commands::table().all() {
            let spec = command.spec();
            let is_ours = spec.name.starts_with("whimbrel_");
            assert!(
                !spec.callers.administrator || is_ours || documented.contains(spec.name),
                "{}",
                spec.name
            );
        }
    }

    #[test]
    fn what_is_pushed_is_written_by_the_engine_and_causes_something() {
        let source = concat!(
            include_str!("../../../../crates/engine/src/push.rs"),
            include_str!("../../../../crates/engine/src/push/annotations.rs"),
            include_str!("../../../../crates/engine/src/push/contacts.rs"),
            include_str!("../../../../crates/engine/src/push/relations.rs"),
        );
        let events = events();
        for name in PUSHED {
            assert!(source.contains(&format!("\"{name}\"")), "{name} is not pushed");
            assert!(events.iter().any(|event| event.needs.contains(name)), "{name} causes nothing");
        }
        // And the other way round: what the engine begins to push is listed.
        for name in events.iter().flat_map(|event| &event.needs).filter(|name| !name.contains('/')) {
            let is_written = source.contains(&format!("\"{name}\""));
            assert_eq!(is_written, PUSHED.contains(name), "{name}");
        }
    }

    #[test]
    fn a_method_is_judged_by_the_commands_that_it_sends() {
        let text = document(&crate::commands::table());
        let row = |name: &str| {
            let start = format!("| `{name}` | ");
            text.lines().find_map(|line| line.strip_prefix(&start)).unwrap()
        };
        assert_eq!(row("createTextMessage"), "works (client alone) |  |  |");
        assert!(row("pinConversation").starts_with("works | `recentcontact/top`"));
        assert!(row("revokeMessage").starts_with("partly | `openim/msgwithdraw` | `group_open_http_svc/"));
        assert!(row("dismissGroup").starts_with("not built |"));
        assert!(row("openim/sendmsg").starts_with("answered"));
        assert!(row("openim/modify_group_msg").starts_with("60009"));
    }
}
