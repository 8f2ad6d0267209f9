//! `openconfigsvr/getappinfo`: what an app did each day.

use std::collections::BTreeMap;

use command::{Call, Command, Family, Spec};
use engine::statistics::DailyFact;
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts of things that there are none of here: groups, offline push and webhooks.
const NONE: [&str; 14] = [
    "APNSMsgNum",
    "C2CAPNSMsgNum",
    "GroupUpMsgNum",
    "GroupDownMsgNum",
    "GroupSendMsgUserNum",
    "GroupAPNSMsgNum",
    "GroupSendMsgGroupNum",
    "GroupJoinGroupTimes",
    "GroupQuitGroupTimes",
    "GroupNewGroupNum",
    "GroupAllGroupNum",
    "GroupDestroyGroupNum",
    "CallBackReq",
    "CallBackRsp",
];

/// Reads what the app did on each of the last 30 days, today as far as it went (page 1047/34886).
///
/// The oldest day comes first. Days are those of Beijing (UTC+8). How many accounts did something is right but for some 2
/// percent; a crash of the server may lose the last minute.
#[derive(Deserialize, JsonSchema)]
pub struct ReadStatistics {
    /// Which fields of a day; absent or empty: all. Names that no field has are not looked at.
    #[serde(rename = "RequestField", default)]
    pub fields: Vec<String>,
}

/// A text for every field of a day.
type Day = BTreeMap<&'static str, String>;

/// The days.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AppStatistics {
    /// One object for each day; every value is a text.
    #[serde(rename = "Result")]
    pub days: Vec<BTreeMap<&'static str, String>>,
}

impl Command for ReadStatistics {
    const SPEC: Spec = Spec::new(
        "openconfigsvr/getappinfo",
        Family { internal: ErrorCode::StatisticsUnreadable, says_ok: true, ..Family::CONFIG },
    );

    type Reply = AppStatistics;

    async fn run(self, call: &Call) -> Result<AppStatistics> {
        let days = call.engine.daily_statistics(call.app.id).await?;
        let wanted = |name: &str| self.fields.is_empty() || self.fields.iter().any(|field| field == name);
        let days = days.iter().map(|day| {
            let mut shown = written(call, day);
            shown.retain(|name, _| wanted(name));
            shown
        });
        Ok(AppStatistics { days: days.collect() })
    }
}

fn written(call: &Call, day: &DailyFact) -> Day {
    let mut shown: Day = NONE.into_iter().map(|name| (name, "0".to_owned())).collect();
    for (name, count) in [
        ("ActiveUserNum", day.active),
        ("RegistUserNumOneDay", day.registered),
        ("RegistUserNumTotal", day.accounts),
        ("LoginTimes", day.logins),
        ("LoginUserNum", day.logged_in),
        ("MaxOnlineNum", day.online_most),
        ("UpMsgNum", day.sent),
        ("DownMsgNum", day.delivered),
        ("SendMsgUserNum", day.senders),
        ("C2CUpMsgNum", day.sent),
        ("C2CDownMsgNum", day.delivered),
        ("C2CSendMsgUserNum", day.senders),
        ("ChainIncrease", day.befriended),
        ("ChainDecrease", day.unfriended),
    ] {
        shown.insert(name, count.to_string());
    }
    shown.insert("AppName", call.app.settings.name.clone());
    shown.insert("AppId", call.app.id.to_string());
    // Who runs an app is known by its number only.
    shown.insert("Company", String::new());
    shown.insert("Date", day.date());
    shown
}
