//! Errors in sentences: the one place where an error number becomes words.

use shared_proto::error::ErrorCode;

use super::{PEER_DETAIL_LEN, PEER_NAME_LEN, peer, quantity};
use crate::app::model::Failure;
use crate::app::view::Mark;

/// An error as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Mark beside it: refused by a person or a rule, or failed.
    pub mark: Mark,
    /// What happened, with the name of who is at fault.
    pub title: String,
    /// What is safe and what to do, a paragraph each.
    pub body: Vec<String>,
    /// Asking again may help without anything else having changed.
    pub again: bool,
}

/// What surrounds an error.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Name of the laptop. Peer text.
    pub laptop: &'a str,
    /// What was asked for, as in "said no to …".
    pub what: &'a str,
    /// The model that was asked for; may be empty.
    pub model: &'a str,
    /// Text that had arrived and is kept; may be empty.
    pub kept: &'a str,
}

/// The error in sentences.
pub fn failure(failure: &Failure, scene: Scene<'_>) -> Explained {
    let laptop = peer(scene.laptop, PEER_NAME_LEN);
    let what = scene.what;
    let provider = provider(failure, scene.model);
    let (mut title, mut next, again) = match ErrorCode::from_number(failure.code) {
        Some(code) => by_code(code, &laptop, what, &provider, scene.model),
        None => own(failure.code, &laptop),
    };
    if title.is_empty() {
        title = format!("{laptop} could not do this");
        next = format!(
            "The laptop gave the reason number {}, which this handheld does not know. Update the handheld.",
            failure.code
        );
    }
    let mut body = Vec::new();
    if !scene.kept.trim().is_empty() {
        let count = quantity::words_of(scene.kept);
        body.push(if count == 1 {
            "The word that had arrived is kept.".into()
        } else {
            format!("The {count} words that had arrived are kept.")
        });
    } else if matches!(failure.code, 20..=25 | 27..=28) {
        body.push("What you asked for is kept.".into());
    }
    body.push(next);
    let detail = peer(&failure.detail, PEER_DETAIL_LEN);
    if detail.contains(' ') && says_more(failure.code) {
        body.push(format!("The laptop says: {detail}"));
    }
    let mark = if matches!(failure.code, 20..=28) {
        Mark::Refused
    } else {
        Mark::Failed
    };
    Explained {
        mark,
        title,
        body,
        again,
    }
}

/// The detail is an explanation, and not only the name that the sentence already holds.
fn says_more(code: u16) -> bool {
    !matches!(code, 20..=25 | 46 | 80 | 81 | 0xFF00..)
}

/// Title, what to do, and whether asking again may help.
#[allow(clippy::too_many_lines)] // One arm per number is the point of this table.
fn by_code(
    code: ErrorCode,
    laptop: &str,
    what: &str,
    provider: &str,
    model: &str,
) -> (String, String, bool) {
    use ErrorCode as E;
    let model = super::model_name(model);
    let (title, next, again) = match code {
        E::Denied => (
            format!("The owner of {laptop} does not allow {what}"),
            "Change it there under Permissions.".into(),
            true,
        ),
        E::AskRefused => (
            format!("The owner of {laptop} said no to {what}"),
            "Change it there under Permissions, or ask again.".into(),
            true,
        ),
        E::AskExpired => (
            "Nobody answered on the laptop, so nothing ran".into(),
            format!("Someone at {laptop} has to say yes in time. Ask again when they are there."),
            true,
        ),
        E::RateLimited => (
            format!("{laptop} takes only so many requests a minute"),
            "Wait a minute, then ask again.".into(),
            true,
        ),
        E::QuotaExceeded => (
            format!("Today's share of {what} is used up"),
            "The laptop allows more after midnight.".into(),
            true,
        ),
        E::ModelDenied => (
            format!("{laptop} does not let this handheld use {model}"),
            "Choose another model with Y, or have it allowed there under Permissions.".into(),
            true,
        ),
        E::UrlRefused => (
            format!("{laptop} does not download from this address"),
            "Its owner lists the addresses that are allowed there.".into(),
            false,
        ),
        E::Expired => (
            format!("Pairing with {laptop} has ended"),
            "Its owner can extend it there with officectl\u{a0}renew. Or pair again; your chats stay.".into(),
            false,
        ),
        E::Revoked => (
            format!("{laptop} no longer knows this handheld"),
            "Its owner has taken the pairing back. Pair again if they agree; your chats stay."
                .into(),
            false,
        ),
        E::ModelUnknown => (
            format!("The laptop has no model {model}"),
            "Choose another with Y.".into(),
            true,
        ),
        E::ProviderUnreachable => (
            format!("{provider} on the laptop is not answering"),
            "Nothing ran. Start it there, then retry.".into(),
            true,
        ),
        E::ProviderFailed => (
            format!("{provider} on the laptop reported an error"),
            "The laptop is fine; the server on it is at fault. Look at it there, then retry."
                .into(),
            true,
        ),
        E::ProviderBroke => (
            format!("{provider} stopped answering"),
            "The laptop is fine; the server on it broke off. Start it there, then retry.".into(),
            true,
        ),
        E::ServiceDown => (
            format!("A part of OfficeOS on {laptop} is not running"),
            "Start the laptop's services again there, then retry.".into(),
            true,
        ),
        E::NoProvider => (
            format!("{laptop} has nothing set up for {what}"),
            "Its owner sets up a provider there, in services.toml.".into(),
            true,
        ),
        E::BadImage => (
            format!("{provider} sent a damaged picture"),
            "Nothing was shown. Retry.".into(),
            true,
        ),
        E::ContextMissing => (
            "The laptop no longer holds this conversation".into(),
            "It is kept here. Ask again to send it whole.".into(),
            true,
        ),
        E::ContextTooLong => (
            format!("This conversation is longer than {model} can hold"),
            "Start a new chat, or choose another model with Y.".into(),
            true,
        ),
        E::NotFound => (
            "The file is no longer on the laptop".into(),
            "List the folder again with X.".into(),
            false,
        ),
        E::PathRefused => (
            "The laptop does not take this file name".into(),
            "Give the file another name, then send it again.".into(),
            false,
        ),
        E::FileExists => (
            "The laptop already has a file of this name".into(),
            "Both are kept. Delete the one there, then send again.".into(),
            true,
        ),
        E::TooLarge => (
            format!("This is larger than {laptop} takes"),
            "Make it smaller, or have the limit raised there.".into(),
            false,
        ),
        E::BlobMismatch => (
            "The file changed while it was being sent".into(),
            "Nothing was stored on the laptop. Send it again.".into(),
            true,
        ),
        E::StoreFull => (
            format!("There is no room left on {laptop}"),
            "Nothing is lost here. Delete files there, then send again.".into(),
            true,
        ),
        E::StoreFailed => (
            format!("{laptop} could not use its disk"),
            "Its log says more. Retry when it is mended.".into(),
            true,
        ),
        E::Interrupted => (
            "The laptop was restarted while this ran".into(),
            "It was not run again by itself. Ask again if you still want it.".into(),
            true,
        ),
        E::Cancelled => ("Stopped".into(), "Nothing more comes.".into(), true),
        E::Busy => (
            format!("{laptop} is busy"),
            "Too much runs there at once. Ask again in a moment.".into(),
            true,
        ),
        E::Spared => (
            format!("{laptop} is sparing itself"),
            "Nothing ran. Plug it in or let it cool down, then ask again.".into(),
            true,
        ),
        E::TimedOut => (
            format!("{provider} took too long"),
            "The laptop stopped it. Retry, or ask for less.".into(),
            true,
        ),
        E::ResultGone => (
            "The laptop has thrown the result away".into(),
            "It waited for this handheld for too long. Ask again.".into(),
            true,
        ),
        E::Unsupported | E::UnknownOpcode => (
            format!("{laptop} does not offer this"),
            "Its version of OfficeOS lacks it. Update it there.".into(),
            false,
        ),
        E::IdReused | E::IdBelowFloor | E::UnknownRequest => (
            "The laptop does not know this request any more".into(),
            "It was not run a second time. Ask again.".into(),
            true,
        ),
        E::BadSignature => (
            format!("{laptop} did not accept this handheld's signature"),
            "Nothing ran. If it happens again, pair again; your chats stay.".into(),
            true,
        ),
        E::LimitExceeded => (
            "This is too long for one request".into(),
            "Shorten it, then ask again.".into(),
            false,
        ),
        E::Malformed | E::TypeMismatch | E::BadReference | E::BadEmit => (
            "The laptop could not read the request".into(),
            "This handheld is at fault. Nothing ran. Update it.".into(),
            false,
        ),
        E::Internal => (
            format!("Something broke inside OfficeOS on {laptop}"),
            "The laptop's log says more. Retry; if it happens again, report it.".into(),
            true,
        ),
    };
    (title, next, again)
}

/// Failures that the handheld itself found.
fn own(code: u16, laptop: &str) -> (String, String, bool) {
    match code {
        Failure::CARD_FULL => (
            "The card is full".into(),
            "Nothing is lost. Free some room, then try again.".into(),
            true,
        ),
        Failure::CARD_BROKEN => (
            "The card could not be read or written".into(),
            "Take it out and put it in again; if that does not help, it may be worn out.".into(),
            true,
        ),
        Failure::DAMAGED => (
            "The laptop sent a damaged result".into(),
            "Nothing was shown. Retry.".into(),
            true,
        ),
        Failure::TOO_LONG => (
            "This is too long for one request".into(),
            "Shorten it, then ask again.".into(),
            false,
        ),
        Failure::FORGOTTEN => (
            format!("{laptop} has been forgotten"),
            "Ask again to send it to the laptop that is paired now.".into(),
            true,
        ),
        _ => (String::new(), String::new(), true),
    }
}

/// Name of the provider: from the explanation if it begins with one, else from the model that was asked for.
fn provider(failure: &Failure, model: &str) -> String {
    let told = failure.detail.split(':').next().unwrap_or_default().trim();
    let asked = model.split_once('/').map(|(provider, _)| provider);
    let name = if !told.is_empty() && told.len() <= 24 && !told.contains(' ') {
        told.split('/').next().unwrap_or(told)
    } else if let Some(provider) = asked {
        provider
    } else {
        return "The server".into();
    };
    match name {
        "ollama" => "Ollama".into(),
        "lmstudio" | "lm-studio" => "LM Studio".into(),
        "openai" => "OpenAI".into(),
        "a1111" | "automatic1111" => "AUTOMATIC1111".into(),
        "stability" => "Stability".into(),
        "built-in" => "The built-in provider".into(),
        name => peer(name, PEER_NAME_LEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(kept: &str) -> Scene<'_> {
        Scene {
            laptop: "Ada's ThinkPad",
            what: "chat",
            model: "ollama/llama",
            kept,
        }
    }

    #[test]
    fn every_number_has_a_title_and_something_to_do_and_shouts_at_nobody() {
        let own = [
            Failure::CARD_FULL,
            Failure::CARD_BROKEN,
            Failure::DAMAGED,
            Failure::TOO_LONG,
            Failure::FORGOTTEN,
            60_000,
        ];
        let codes = ErrorCode::ALL.iter().map(|c| *c as u16).chain(own);
        for code in codes {
            let said = failure(
                &Failure {
                    code,
                    op: 0,
                    detail: "ollama: gone".into(),
                },
                scene(""),
            );
            assert!(!said.title.is_empty() && !said.body.is_empty(), "{code}");
            let all = format!("{} {}", said.title, said.body.join(" "));
            assert!(
                !all.contains('!') && !all.to_lowercase().contains("please"),
                "{all}"
            );
            assert!(!said.title.contains(char::is_numeric), "{}", said.title);
        }
    }

    #[test]
    fn the_side_at_fault_is_named_and_what_arrived_is_counted() {
        let said = failure(
            &Failure {
                code: ErrorCode::ProviderBroke as u16,
                op: 0,
                detail: String::new(),
            },
            scene("one two three"),
        );
        assert_eq!(said.title, "Ollama stopped answering");
        assert_eq!(said.body[0], "The 3 words that had arrived are kept.");
        assert_eq!(said.mark, Mark::Failed);
        let said = failure(
            &Failure {
                code: ErrorCode::AskRefused as u16,
                op: 0,
                detail: String::new(),
            },
            scene(""),
        );
        assert_eq!(said.title, "The owner of Ada's ThinkPad said no to chat");
        assert_eq!(said.mark, Mark::Refused);
    }

    #[test]
    fn a_hostile_explanation_is_escaped_and_bounded() {
        let detail = format!("x: \u{1b}[31m{}", "y".repeat(1000));
        let said = failure(
            &Failure {
                code: ErrorCode::ProviderFailed as u16,
                op: 0,
                detail,
            },
            scene(""),
        );
        let last = said
            .body
            .last()
            .expect("the explanation is the last paragraph");
        assert!(last.contains("‹1B›") && last.chars().count() < 260);
    }
}
