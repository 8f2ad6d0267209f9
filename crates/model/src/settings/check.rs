//! What the settings of an app may be, looked at together.

use super::{ADMINISTRATORS_MAX, AppSettings, CustomField, field};
use crate::error::{Error, ErrorCode, Result};
use crate::profile::STANDARD_TAGS;

/// The most labels of an app.
const TAGS_MAX: usize = 100;

/// The most bytes of a label (page 1047/34381).
const TAG_BYTES_MAX: usize = 50;

/// The most legal bases.
const LEGAL_BASES_MAX: usize = 20;

/// The classes of data that have a legal basis.
const CLASSES: [&str; 6] = ["message", "profile", "account", "log", "monitoring", "configuration"];

/// The legal bases of the GDPR, article 6 (1).
const BASES: [&str; 6] =
    ["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"];

fn invalid(name: &str, what: impl std::fmt::Display) -> Error {
    ErrorCode::SettingInvalid.in_field(name, what)
}

fn within(name: &str, value: u32, least: u32, most: u32) -> Result<()> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(invalid(name, format!("{least} to {most}"))) }
}

fn bytes(name: &str, text: &str, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&text.len()) {
        Ok(())
    } else {
        Err(invalid(name, format!("{least} to {most} bytes")))
    }
}

/// A list of at most so many entries, each one once.
fn list(name: &str, entries: &[String], most: usize) -> Result<()> {
    let is_twice = |(index, entry): (usize, &String)| entries.iter().take(index).any(|other| other == entry);
    if entries.len() > most {
        return Err(invalid(name, format!("at most {most} entries")));
    }
    if entries.iter().enumerate().any(is_twice) {
        return Err(invalid(name, "an entry stands there twice"));
    }
    Ok(())
}

impl AppSettings {
    /// Checks all settings together.
    ///
    /// # Errors
    /// `SettingInvalid`, naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.check_details()?;
        self.check_clients()?;
        self.check_messages()?;
        self.check_fields()
    }

    /// Checks what only a change can do wrong: own fields keep their types.
    ///
    /// # Errors
    /// `SettingInvalid`, naming the setting.
    pub fn check_change_from(&self, before: &Self) -> Result<()> {
        field::check_types("custom_user_fields", &before.custom_user_fields, &self.custom_user_fields)?;
        field::check_types("custom_friend_fields", &before.custom_friend_fields, &self.custom_friend_fields)
    }

    fn check_details(&self) -> Result<()> {
        bytes("name", &self.name, 1, 100)?;
        bytes("introduction", &self.introduction, 0, 400)?;
        bytes("app_type", &self.app_type, 0, 50)?;
        bytes("description", &self.description, 0, 1000)?;
        bytes("app_id", &self.app_id, 0, 64)?;
        bytes("controller_name", &self.controller_name, 0, 200)?;
        bytes("controller_contact", &self.controller_contact, 0, 200)?;
        list("tags", &self.tags, TAGS_MAX)?;
        for tag in &self.tags {
            bytes("tags", tag, 1, TAG_BYTES_MAX)?;
        }
        list("legal_bases", &self.legal_bases, LEGAL_BASES_MAX)?;
        let is_basis = |text: &String| {
            text.split_once(':')
                .is_some_and(|(class, basis)| CLASSES.contains(&class) && BASES.contains(&basis))
        };
        if !self.legal_bases.iter().all(is_basis) {
            let what = format!("CLASS:BASIS of {} and {}", CLASSES.join(", "), BASES.join(", "));
            return Err(invalid("legal_bases", what));
        }
        let administrators: Vec<String> = self.administrators.iter().map(ToString::to_string).collect();
        list("administrators", &administrators, ADMINISTRATORS_MAX)?;
        if administrators.is_empty() {
            return Err(invalid("administrators", format!("1 to {ADMINISTRATORS_MAX} UserIDs")));
        }
        Ok(())
    }

    fn check_clients(&self) -> Result<()> {
        within("web_instances", self.web_instances, 1, 10)?;
        within("native_instances", self.native_instances, 1, 3)?;
        for count in self.platform_instances.values() {
            within("platform_instances", *count, 1, 3)?;
        }
        within("hello_interval_seconds", self.hello_interval_seconds, 5, 300)?;
        within("rest_calls_per_second", self.rest_calls_per_second, 0, 1_000_000)?;
        let bits = self.ability_bits.as_bytes();
        if !(1..=64).contains(&bits.len()) || bits.iter().any(|bit| !matches!(bit, b'0' | b'1')) {
            return Err(invalid("ability_bits", "1 to 64 characters 0 or 1"));
        }
        Ok(())
    }

    fn check_messages(&self) -> Result<()> {
        within("recall_seconds", self.recall_seconds, 0, 604_800)?;
        within("conversations", self.conversations, 100, 3000)?;
        within("friends_max", self.friends_max, 1, 10_000)?;
        within("message_retention_days", self.message_retention_days, 0, 3650)?;
        within("profile_retention_days", self.profile_retention_days, 0, 3650)
    }

    fn check_fields(&self) -> Result<()> {
        list("profile_tags", &self.profile_tags, STANDARD_TAGS.len())?;
        if let Some(unknown) = self.profile_tags.iter().find(|tag| !STANDARD_TAGS.contains(&tag.as_str())) {
            return Err(invalid("profile_tags", format!("{unknown} is no standard field")));
        }
        field::check("custom_user_fields", &self.custom_user_fields)?;
        field::check("custom_friend_fields", &self.custom_friend_fields)?;
        let is_shown = |field: &CustomField| field.readers.friend || field.readers.stranger;
        let everybody =
            |field: &&CustomField| is_shown(field) && !(field.readers.owner && field.readers.administrator);
        if let Some(field) = self.custom_friend_fields.iter().find(everybody) {
            let what = format!(
                "{}: owner, administrator or both read what an account notes of a friend",
                field.name
            );
            return Err(invalid("custom_friend_fields", what));
        }
        Ok(())
    }
}
