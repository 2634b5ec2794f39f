//! Putting the radio back after an app that ended without doing so: its own network goes, the firmware's are switched on again.

use std::fs;
use std::path::{Path, PathBuf};

use shared_proto::supplicant::{Command, networks};

use super::door::Client;
use crate::radio::held::{Held, Known, read};

/// Puts back what stands in the file, then removes it. What nobody answers for is left for the next start.
pub(super) fn mend(file: &Path, folders: &[PathBuf], own: &Path) {
    let Ok(text) = fs::read_to_string(file) else {
        return;
    };
    let left: Vec<Held> = read(&text)
        .into_iter()
        .filter(|held| !is_back(held, folders, own))
        .collect();
    let result = match left.is_empty() {
        true => fs::remove_file(file),
        false => fs::write(file, crate::radio::held::write(&left)),
    };
    if let Err(error) = result {
        log::warn!("what is to be put back is not written down: {error}");
    }
}

fn is_back(held: &Held, folders: &[PathBuf], own: &Path) -> bool {
    let name = &held.interface;
    if !super::rules::is_name(name) {
        return true;
    }
    let sockets = folders.iter().map(|folder| folder.join(name));
    let Some(path) = sockets.into_iter().find(|path| path.exists()) else {
        return false;
    };
    let Ok(mut client) = Client::open(
        &path,
        own.join(format!("radio-{}-mend", std::process::id())),
    ) else {
        return false;
    };
    let Some(list) = client.request(&Command::ListNetworks.text()) else {
        return false;
    };
    let rows = networks(&list);
    let is = |known: &Known| {
        rows.iter()
            .any(|row| row.id == known.id && row.ssid == known.ssid)
    };
    let mut commands = Vec::new();
    if let Some(own) = held.own.as_ref().filter(|own| is(own)) {
        commands.push(Command::RemoveNetwork(own.id));
    }
    let others = held.others.iter().filter(|other| is(other));
    commands.extend(others.map(|other| Command::EnableNetwork(other.id)));
    if !held.others.is_empty() {
        commands.push(Command::Reconnect);
    }
    commands
        .iter()
        .all(|command| client.request(&command.text()).is_some())
}
