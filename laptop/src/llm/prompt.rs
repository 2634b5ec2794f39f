//! Turning a request of any kind into the messages of a chat, or into one text for servers without chat.

use crate::ipc::{ChatMessage, Failure, FailureCode, Role, TextKind, TextRequest};

/// Most messages in one request.
pub const MAX_MESSAGES: usize = 512;
/// Most bytes of all messages together.
pub const MAX_TEXT: usize = 2 << 20;

/// Checks a request before anybody is asked.
///
/// # Errors
/// `BadRequest` or `TooLarge` with what is wrong.
pub fn check(request: &TextRequest) -> Result<(), Failure> {
    let bad = |text: String| Err(Failure::new(FailureCode::BadRequest, "", text));
    if request
        .messages
        .last()
        .is_none_or(|m| m.role != Role::User || m.text.trim().is_empty())
    {
        return bad("The last message must be a question or text, and not empty.".into());
    }
    if request.max_tokens == 0 {
        return bad("max_tokens must be at least 1.".into());
    }
    let bytes: usize = request.messages.iter().map(|m| m.text.len()).sum();
    if request.messages.len() > MAX_MESSAGES || bytes > MAX_TEXT {
        let text = format!(
            "The conversation has {} messages and {bytes} bytes; {MAX_MESSAGES} and {MAX_TEXT} are allowed.",
            request.messages.len()
        );
        return Err(Failure::new(FailureCode::TooLarge, "", text));
    }
    Ok(())
}

/// The instruction that stands before the messages of a kind.
fn instruction(kind: TextKind) -> Option<&'static str> {
    match kind {
        TextKind::Chat => None,
        TextKind::Complete => Some(
            "Continue the user's text exactly where it ends. Write only the continuation, without repeating the text and \
             without any remark.",
        ),
        TextKind::Code => Some(
            "Write program code for the user's task. Answer with one fenced code block that names its language, then at \
             most two sentences.",
        ),
        TextKind::Summarize => Some(
            "Summarise the user's text in a few sentences, in its own language. Write only the summary.",
        ),
    }
}

/// The messages to send to a chat server.
pub fn messages(request: &TextRequest) -> Vec<ChatMessage> {
    let first = instruction(request.kind).map(|text| ChatMessage {
        role: Role::System,
        text: text.to_owned(),
    });
    // Several chat templates refuse a second system message, so that all of them become one.
    let mut system: Vec<String> = first.into_iter().map(|m| m.text).collect();
    system.extend(
        request
            .messages
            .iter()
            .filter(|m| m.role == Role::System)
            .map(|m| m.text.clone()),
    );
    let mut list = Vec::new();
    if !system.is_empty() {
        list.push(ChatMessage {
            role: Role::System,
            text: system.join("\n\n"),
        });
    }
    list.extend(
        request
            .messages
            .iter()
            .filter(|m| m.role != Role::System)
            .cloned(),
    );
    list
}

/// The one text to send to a server that only completes.
pub fn flat(request: &TextRequest) -> String {
    if request.kind == TextKind::Complete {
        return request
            .messages
            .last()
            .map(|m| m.text.clone())
            .unwrap_or_default();
    }
    let mut text = String::new();
    for message in messages(request) {
        let who = match message.role {
            Role::System => "Instruction",
            Role::User => "User",
            Role::Assistant => "Assistant",
        };
        text.push_str(&format!("{who}: {}\n\n", message.text));
    }
    text.push_str("Assistant:");
    text
}

/// A role's name in the APIs.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// An estimate of the tokens of `text`: about four bytes each.
pub fn estimate_tokens(text_bytes: usize) -> u32 {
    u32::try_from(text_bytes.div_ceil(4)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: TextKind, messages: &[(Role, &str)]) -> TextRequest {
        let messages = messages
            .iter()
            .map(|(role, text)| ChatMessage {
                role: *role,
                text: (*text).into(),
            })
            .collect();
        TextRequest {
            kind,
            model: String::new(),
            messages,
            max_tokens: 5,
            temperature_permille: None,
        }
    }

    #[test]
    fn all_instructions_become_one_system_message_in_front() {
        let request = request(
            TextKind::Summarize,
            &[
                (Role::User, "a"),
                (Role::System, "be kind"),
                (Role::Assistant, "b"),
                (Role::User, "c"),
            ],
        );
        let list = messages(&request);
        assert!(list[0].text.starts_with("Summarise") && list[0].text.ends_with("\n\nbe kind"));
        assert_eq!(
            list.iter().map(|m| m.role).collect::<Vec<_>>(),
            [Role::System, Role::User, Role::Assistant, Role::User]
        );
    }

    #[test]
    fn a_server_without_chat_gets_a_script_and_a_completion_gets_the_bare_text() {
        let chat = request(
            TextKind::Chat,
            &[
                (Role::User, "hi"),
                (Role::Assistant, "yes?"),
                (Role::User, "why"),
            ],
        );
        assert_eq!(
            flat(&chat),
            "User: hi\n\nAssistant: yes?\n\nUser: why\n\nAssistant:"
        );
        assert_eq!(
            flat(&request(TextKind::Complete, &[(Role::User, "Once upon")])),
            "Once upon"
        );
    }

    #[test]
    fn empty_and_huge_requests_are_refused_before_anybody_is_asked() {
        let code = |r: TextRequest| check(&r).unwrap_err().code;
        assert_eq!(code(request(TextKind::Chat, &[])), FailureCode::BadRequest);
        assert_eq!(
            code(request(TextKind::Chat, &[(Role::User, " \n")])),
            FailureCode::BadRequest
        );
        assert_eq!(
            code(request(
                TextKind::Chat,
                &[(Role::User, "a"), (Role::Assistant, "b")]
            )),
            FailureCode::BadRequest
        );
        assert_eq!(
            code(TextRequest {
                max_tokens: 0,
                ..request(TextKind::Chat, &[(Role::User, "a")])
            }),
            FailureCode::BadRequest
        );
        assert_eq!(
            code(request(
                TextKind::Chat,
                &[(Role::User, &"x".repeat(MAX_TEXT + 1))]
            )),
            FailureCode::TooLarge
        );
        assert_eq!(
            check(&request(TextKind::Chat, &[(Role::User, "a")])),
            Ok(())
        );
    }
}
