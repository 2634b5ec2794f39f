//! Server-sent events, as model servers really send them.
//!
//! Beside the standard this takes `error:` lines (old llama.cpp servers) as an event named `error`, and gives an event
//! that the end of the stream left without its blank line.

use super::lines::{LineTooLong, Lines};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty for the usual ones.
    pub name: String,
    /// Its data lines, joined with `\n`.
    pub data: String,
}

/// The parser. Feeding the same bytes in other pieces gives the same events.
#[derive(Clone, Debug)]
pub struct Sse {
    lines: Lines,
    cap: usize,
    name: String,
    data: Option<String>,
    first: bool,
}

impl Sse {
    /// A parser that refuses lines and events of more than `cap` bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            lines: Lines::new(cap),
            cap,
            name: String::new(),
            data: None,
            first: true,
        }
    }

    /// Takes more bytes and appends the events they complete to `events`.
    ///
    /// # Errors
    /// [`LineTooLong`] when a line or an event passes the cap.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), LineTooLong> {
        let (name, data, first, cap) = (&mut self.name, &mut self.data, &mut self.first, self.cap);
        let mut too_long = false;
        self.lines.feed(bytes, |line| {
            too_long |= !take_line(line, name, data, first, cap, events)
        })?;
        if too_long { Err(LineTooLong) } else { Ok(()) }
    }

    /// The stream has ended: an event without its blank line counts.
    pub fn finish(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let rest = self.lines.rest();
        if !rest.is_empty() {
            take_line(
                &rest,
                &mut self.name,
                &mut self.data,
                &mut self.first,
                self.cap,
                &mut events,
            );
        }
        take_line(
            b"",
            &mut self.name,
            &mut self.data,
            &mut self.first,
            self.cap,
            &mut events,
        );
        events
    }
}

/// Handles one line; false if the event grew over the cap.
fn take_line(
    line: &[u8],
    name: &mut String,
    data: &mut Option<String>,
    first: &mut bool,
    cap: usize,
    events: &mut Vec<Event>,
) -> bool {
    // A byte order mark may precede the very first line only.
    let line = if std::mem::take(first) {
        line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
    } else {
        line
    };
    if line.is_empty() {
        let event_name = std::mem::take(name);
        if let Some(data) = data.take() {
            events.push(Event {
                name: event_name,
                data,
            });
        }
        return true;
    }
    let line = String::from_utf8_lossy(line);
    let (field, value) = line.split_once(':').unwrap_or((&line, ""));
    let value = value.strip_prefix(' ').unwrap_or(value);
    match field {
        "data" => match data {
            Some(data) => {
                if data.len() + value.len() >= cap {
                    return false;
                }
                data.push('\n');
                data.push_str(value);
            }
            None => *data = Some(value.to_owned()),
        },
        "event" => *name = value.to_owned(),
        "error" => events.push(Event {
            name: "error".to_owned(),
            data: value.to_owned(),
        }),
        // Comments (": ping") have an empty field name; id and retry mean nothing here.
        _ => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(pieces: &[&[u8]]) -> Result<Vec<Event>, LineTooLong> {
        let (mut sse, mut events) = (Sse::new(200), Vec::new());
        for piece in pieces {
            sse.feed(piece, &mut events)?;
        }
        events.extend(sse.finish());
        Ok(events)
    }

    fn data(text: &str) -> Event {
        Event {
            name: String::new(),
            data: text.into(),
        }
    }

    #[test]
    fn what_servers_send_is_understood() {
        let stream = b"\xef\xbb\xbf: ping - 2026\r\n\r\ndata: {\"a\":1}\r\n\r\ndata:no space\n\nid: 7\nretry: 9\nevent: error\n\
                       data: one\ndata: two\n\nnonsense\n\nerror: {\"code\":500}\n\ndata: [DONE]\n\n";
        let events = parse(&[stream]).unwrap();
        let named = |name: &str, text: &str| Event {
            name: name.into(),
            data: text.into(),
        };
        assert_eq!(
            events,
            [
                data("{\"a\":1}"),
                data("no space"),
                named("error", "one\ntwo"),
                named("error", "{\"code\":500}"),
                data("[DONE]")
            ]
        );
    }

    #[test]
    fn an_event_cut_before_its_blank_line_still_counts() {
        assert_eq!(
            parse(&[b"data: a\n\ndata: b"]).unwrap(),
            [data("a"), data("b")]
        );
        assert_eq!(parse(&[b"data: a"]).unwrap(), [data("a")]);
        assert_eq!(parse(&[b": only a comment"]).unwrap(), []);
    }

    #[test]
    fn a_line_and_an_event_over_the_cap_are_refused() {
        assert_eq!(parse(&[b"data: ", &[b'x'; 300]]), Err(LineTooLong));
        let many = b"data: 0123456789\n".repeat(30);
        assert_eq!(parse(&[&many]), Err(LineTooLong));
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_events(
            text in "(data: ?[a-zé]{0,8}|:ping|event: e|error: x|[a-z]{0,3}|)((\r\n|\n|\r)(data:[a-z ]{0,8}|: c|event:e|)){0,20}",
            cuts in prop::collection::vec(0usize..200, 0..12),
        ) {
            let bytes = text.as_bytes();
            let mut ends: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).chain([bytes.len()]).collect();
            ends.sort_unstable();
            let mut start = 0;
            let pieces: Vec<&[u8]> = ends.iter().map(|&end| { let piece = &bytes[start..end]; start = end; piece }).collect();
            prop_assert_eq!(parse(&pieces), parse(&[bytes]));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&[&bytes]);
        }
    }
}
