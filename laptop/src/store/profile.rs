//! Permission profiles.

use super::relationship::{signed, unsigned};
use super::reserve::Purpose;
use super::{RelationshipId, Store, StoreError};
use crate::ledger::{Change, Event};
use crate::policy::{ModelPattern, Profile, Rule, Standing, UrlPattern};
use rusqlite::{Connection, Transaction, params};
use shared_proto::opcode::Operation;

/// Longest list of patterns that the ledger keeps, in characters.
const MAX_LIST_CHARS: usize = 2_000;

impl Store {
    /// The permissions of a relationship. Its standing is that of the row: expiry is the caller's, who has the clock.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn profile(&self, id: RelationshipId) -> Result<Profile, StoreError> {
        read_profile(&self.lock(), id)
    }

    /// Changes the permissions of a relationship in one transaction; the generation rises by one.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database said.
    pub fn change_profile(
        &self,
        id: RelationshipId,
        change: impl Fn(&mut Profile),
    ) -> Result<Profile, StoreError> {
        self.insist(Purpose::Decision, || self.write_change(id, &change))
    }

    fn write_change(
        &self,
        id: RelationshipId,
        change: impl Fn(&mut Profile),
    ) -> Result<Profile, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut profile = read_profile(&transaction, id)?;
        let before = profile.clone();
        change(&mut profile);
        profile.generation = before.generation + 1;
        write_profile(&transaction, id, &profile)?;
        let changes = changes(&before, &profile);
        if !changes.is_empty() {
            let event = Event::Permitted {
                device: id,
                changes,
            };
            self.scribe.note(&transaction, event)?;
        }
        transaction.commit()?;
        Ok(profile)
    }
}

/// What differs, in words.
fn changes(before: &Profile, after: &Profile) -> Vec<Change> {
    let rules = Operation::ALL.into_iter().map(|operation| {
        let word = |profile: &Profile| profile.rule(operation).name().to_owned();
        (operation.name(), word(before), word(after))
    });
    let models = |list: &[ModelPattern]| join(list.iter().map(ModelPattern::as_str));
    let limits = |profile: &Profile| {
        [
            ("language-models", models(&profile.language_models)),
            ("image-models", models(&profile.image_models)),
            ("urls", join(profile.urls.iter().map(UrlPattern::as_str))),
            (
                "requests-per-minute",
                profile.requests_per_minute.to_string(),
            ),
            ("tokens-per-day", profile.tokens_per_day.to_string()),
            ("pictures-per-day", profile.pictures_per_day.to_string()),
            ("bytes-per-day", profile.bytes_per_day.to_string()),
            ("seconds-per-day", profile.seconds_per_day.to_string()),
        ]
    };
    let limits = limits(before)
        .into_iter()
        .zip(limits(after))
        .map(|((of, before), (_, after))| (of, before, after));
    rules
        .chain(limits)
        .filter(|(_, before, after)| before != after)
        .map(|(of, before, after)| Change {
            of: of.to_owned(),
            before,
            after,
        })
        .collect()
}

/// Patterns in one text, shortened where there are very many.
fn join<'a>(patterns: impl Iterator<Item = &'a str>) -> String {
    let text = patterns.collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_LIST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn read_profile(connection: &Connection, id: RelationshipId) -> Result<Profile, StoreError> {
    let revoked: Option<i64> = connection.query_row(
        "SELECT revoked_at FROM relationships WHERE id = ?1",
        [id],
        |row| row.get(0),
    )?;
    let mut profile = connection.query_row(
        "SELECT language_models, image_models, urls, requests_per_minute, tokens_per_day, pictures_per_day,
            bytes_per_day, generation, seconds_per_day FROM profiles WHERE relationship = ?1",
        [id],
        |row| {
            let mut profile = Profile::of_new_device();
            // A pattern that no longer parses is dropped, never widened: a shorter list permits less.
            profile.language_models = lines(&row.get::<_, String>(0)?, |line| ModelPattern::parse(line).ok());
            profile.image_models = lines(&row.get::<_, String>(1)?, |line| ModelPattern::parse(line).ok());
            profile.urls = lines(&row.get::<_, String>(2)?, |line| UrlPattern::parse(line).ok());
            profile.requests_per_minute = row.get(3)?;
            profile.tokens_per_day = unsigned(row.get(4)?);
            profile.pictures_per_day = unsigned(row.get(5)?);
            profile.bytes_per_day = unsigned(row.get(6)?);
            profile.generation = unsigned(row.get(7)?);
            profile.seconds_per_day = unsigned(row.get(8)?);
            Ok(profile)
        },
    )?;
    profile.standing = if revoked.is_some() {
        Standing::Revoked
    } else {
        Standing::Active
    };
    let mut statement =
        connection.prepare_cached("SELECT operation, rule FROM rules WHERE relationship = ?1")?;
    let rows = statement.query_map([id], |row| {
        Ok((row.get::<_, u8>(0)?, row.get::<_, String>(1)?))
    })?;
    for row in rows {
        let (number, word) = row?;
        if let (Some(operation), Some(rule)) =
            (Operation::from_number(number), Rule::from_name(&word))
        {
            profile.set_rule(operation, rule);
        }
    }
    Ok(profile)
}

pub(super) fn write_profile(
    transaction: &Transaction<'_>,
    id: RelationshipId,
    profile: &Profile,
) -> Result<(), StoreError> {
    let join_models = |list: &[ModelPattern]| {
        list.iter()
            .map(ModelPattern::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    };
    transaction.execute(
        "INSERT OR REPLACE INTO profiles (relationship, language_models, image_models, urls, requests_per_minute,
            tokens_per_day, pictures_per_day, bytes_per_day, generation, seconds_per_day)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            id,
            join_models(&profile.language_models),
            join_models(&profile.image_models),
            profile
                .urls
                .iter()
                .map(UrlPattern::as_str)
                .collect::<Vec<_>>()
                .join("\n"),
            profile.requests_per_minute,
            signed(profile.tokens_per_day),
            signed(profile.pictures_per_day),
            signed(profile.bytes_per_day),
            signed(profile.generation),
            signed(profile.seconds_per_day)
        ],
    )?;
    for operation in Operation::ALL {
        transaction.execute(
            "INSERT OR REPLACE INTO rules VALUES (?1, ?2, ?3)",
            params![id, operation as u8, profile.rule(operation).name()],
        )?;
    }
    Ok(())
}

fn lines<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    text.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TempFolder, new_relationship};
    use super::*;

    #[test]
    fn a_changed_profile_comes_back_and_its_generation_rises() {
        let folder = TempFolder::new("profile");
        let store = Store::open(&folder.0).expect("a store");
        let id = store
            .add_relationship(
                &new_relationship("a"),
                &crate::policy::Profile::of_new_device(),
            )
            .expect("added")
            .id;
        assert_eq!(store.profile(id).expect("new"), Profile::of_new_device());
        let changed = store
            .change_profile(id, |profile| {
                profile.set_rule(Operation::Chat, Rule::Allow);
                profile.set_rule(Operation::Delete, Rule::Deny);
                profile.language_models = vec![ModelPattern::parse("ollama/*").expect("valid")];
                profile.urls = vec![UrlPattern::parse("https://example.org/").expect("valid")];
                profile.tokens_per_day = u64::MAX >> 1;
                profile.seconds_per_day = 77;
                profile.generation = 0;
            })
            .expect("changed");
        assert_eq!(changed.generation, 1);
        drop(store);
        let store = Store::open(&folder.0).expect("reopened");
        assert_eq!(store.profile(id).expect("read"), changed);
        assert_eq!(
            store
                .change_profile(id, |_| {})
                .expect("changed")
                .generation,
            2
        );
    }
}
