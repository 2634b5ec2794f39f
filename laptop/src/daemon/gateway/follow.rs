//! Tells a caller what its request makes, as it is made.

use super::fault::Failed;
use super::stop::Stops;
use crate::control::Line;
use crate::control::api::GatewayEvent;
use crate::executor::Fault;
use crate::hub::{Ended, Followed, Hub, Phase, Work};
use crate::store::Relationship;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared_proto::error::ErrorCode;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Octets of text read at a time.
const TEXT_PIECE_LEN: usize = 16 * 1024;
/// Octets of a picture in one event; divisible by three, so that the pieces join in base64.
const PICTURE_PIECE_LEN: usize = 48 * 1024;

/// Says `event`. Whoever has left hears nothing more; that it left is seen where it is waited for.
pub(super) fn say(line: &Line<'_>, event: &GatewayEvent) {
    let _ = try_say(line, event);
}

fn try_say(line: &Line<'_>, event: &GatewayEvent) -> std::io::Result<()> {
    line.say(serde_json::to_value(event)?)
}

/// What a request makes, and so how it is told.
pub(super) enum Results {
    /// A text, told as it grows, up to one of the words that end it.
    Text(Stops),
    /// Pictures, each told when it is whole.
    Pictures,
    /// So many vectors, told when all are there.
    Vectors(usize),
}

/// Follows `work` to its end.
pub(super) fn follow(
    hub: &Arc<Hub>,
    caller: &Relationship,
    work: &Arc<Work>,
    line: &Line<'_>,
    results: Results,
) {
    let (wake, woken) = match pair() {
        Ok(pair) => pair,
        Err(error) => {
            log::error!("a caller's request cannot be followed: {error}");
            work.stop(ErrorCode::Cancelled);
            let fault = Fault::new(ErrorCode::Internal, "the laptop is out of descriptors");
            return say(line, &Failed::of(hub, None, fault).event());
        }
    };
    work.follow(Arc::new(move |_| {
        // A full pipe wakes as well as a fuller one.
        let _ = (&wake).write(&[1]);
    }));
    let mut telling = Telling {
        hub,
        caller,
        work,
        line,
        results,
        asking: false,
        started: false,
        enough: false,
        withheld: None,
        sent: BTreeMap::new(),
        vectors: 0,
        rest: Vec::new(),
    };
    let mut there = true;
    loop {
        // Looked at before anything is told: what has ended by now is whole.
        let ended = work.has_ended();
        if there && telling.tell(ended).is_err() {
            there = false;
            work.stop(ErrorCode::Cancelled);
        }
        if ended {
            break;
        }
        if there {
            there = line.wait(&woken).unwrap_or(false);
            if !there {
                work.stop(ErrorCode::Cancelled);
            }
        } else {
            wait(&woken);
        }
    }
    // Nobody comes back for it.
    if let Err(error) = hub.acknowledge(caller.id, work.id()) {
        log::error!("the result of a caller stays: {error}");
    }
    hub.forget_said(caller.id);
}

fn pair() -> std::io::Result<(UnixStream, UnixStream)> {
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    Ok((wake, woken))
}

fn wait(woken: &UnixStream) {
    let mut bytes = [0; 64];
    let _ = std::io::Read::read(&mut &*woken, &mut bytes);
}

struct Telling<'a> {
    hub: &'a Arc<Hub>,
    caller: &'a Relationship,
    work: &'a Arc<Work>,
    line: &'a Line<'a>,
    results: Results,
    asking: bool,
    started: bool,
    enough: bool,
    /// Why something that was made is not told.
    withheld: Option<ErrorCode>,
    /// Octets told, by result.
    sent: BTreeMap<u8, u64>,
    /// Vectors told.
    vectors: usize,
    /// The beginning of a character whose end has not come yet.
    rest: Vec<u8>,
}

impl Telling<'_> {
    fn tell(&mut self, ended: bool) -> std::io::Result<()> {
        let view = self.work.view(&Followed::default());
        if let Some(Phase::Asking(until)) = view.phase
            && !self.asking
        {
            self.asking = true;
            let expires_in_s = until.since(self.hub.now()).div_ceil(1000);
            self.say(&GatewayEvent::Asking { expires_in_s })?;
        }
        if let Some((_, model)) = view.started.first()
            && !self.started
        {
            self.started = true;
            let model = model.clone();
            self.say(&GatewayEvent::Started { model })?;
        }
        for (index, (slot, len, whole)) in view.streams.into_iter().enumerate() {
            match self.results {
                Results::Text(_) => self.text(slot, len)?,
                Results::Pictures => self.picture(index, slot, len, whole)?,
                Results::Vectors(count) => self.vectors(slot, len, whole, count)?,
            }
        }
        match view.ended {
            Some(how) if ended => self.end(how),
            _ => Ok(()),
        }
    }

    fn text(&mut self, slot: u8, len: u64) -> std::io::Result<()> {
        while let Some(piece) = self.piece(slot, len, TEXT_PIECE_LEN) {
            self.rest.extend_from_slice(&piece);
            let text = whole_characters(&mut self.rest);
            let (told, enough) = match &mut self.results {
                Results::Text(stops) => stops.push(&text),
                Results::Pictures | Results::Vectors(_) => (text, false),
            };
            self.delta(told)?;
            if enough {
                self.enough = true;
                self.work.suffice();
            }
        }
        Ok(())
    }

    fn picture(&mut self, index: usize, slot: u8, len: u64, whole: bool) -> std::io::Result<()> {
        // Told when it is whole: half a picture is of no use to anybody.
        if !whole {
            return Ok(());
        }
        // Its first octet names the format, and there is only one that was asked for.
        self.sent.entry(slot).or_insert(1);
        while let Some(piece) = self.piece(slot, len, PICTURE_PIECE_LEN) {
            let last = self.sent.get(&slot).is_some_and(|sent| *sent >= len);
            self.say(&GatewayEvent::Picture {
                index: u8::try_from(index).unwrap_or(u8::MAX),
                data: STANDARD.encode(piece),
                last,
            })?;
        }
        Ok(())
    }

    fn vectors(&mut self, slot: u8, len: u64, whole: bool, count: usize) -> std::io::Result<()> {
        // Its end shows how long each is, and none is told of a request that failed in the middle.
        if !whole || count == 0 {
            return Ok(());
        }
        let each = usize::try_from(len).unwrap_or(usize::MAX) / count;
        for index in self.vectors..count {
            let Some(piece) = self.piece(slot, len, each) else {
                break;
            };
            self.say(&GatewayEvent::Vector {
                index: u16::try_from(index).unwrap_or(u16::MAX),
                data: STANDARD.encode(piece),
            })?;
            self.vectors += 1;
        }
        Ok(())
    }

    /// What of a result was not told yet, if it may be told.
    fn piece(&mut self, slot: u8, len: u64, max: usize) -> Option<Vec<u8>> {
        // Asked before each piece: what was made before a permission was withdrawn is not told after it.
        if self.enough {
            return None;
        }
        let sent = self.sent.entry(slot).or_insert(0);
        let wanted = usize::try_from(len - *sent).unwrap_or(max).min(max);
        if wanted == 0 {
            return None;
        }
        if let Some(code) = self.work.stopped() {
            self.withheld = Some(code);
            return None;
        }
        let piece = self
            .work
            .read(slot, *sent, wanted)
            .inspect_err(|fault| log::error!("a result cannot be read: {fault}"))
            .ok()
            .filter(|piece| !piece.is_empty())?;
        *sent += piece.len() as u64;
        Some(piece)
    }

    fn delta(&self, text: String) -> std::io::Result<()> {
        match text.is_empty() {
            true => Ok(()),
            false => self.say(&GatewayEvent::Delta { text }),
        }
    }

    fn end(&mut self, how: Ended) -> std::io::Result<()> {
        let held = match &mut self.results {
            Results::Text(stops) if !self.enough => stops.finish(),
            _ => String::new(),
        };
        if !held.is_empty() && self.withheld.is_none() {
            // What could have been the beginning of a word that ends the text is told now, or not at all.
            self.withheld = self.work.stopped();
        }
        let event = match how {
            // It was made whole and may not be told whole.
            Ended::Done(_) if let Some(code) = self.withheld => self.failed(Fault::new(code, "")),
            Ended::Done(_) if matches!(self.results, Results::Vectors(count) if self.vectors < count) =>
            {
                let words = "the result can't be read any more; ask again";
                self.failed(Fault::new(ErrorCode::Internal, words))
            }
            Ended::Done(_) => {
                self.delta(held)?;
                let (spent, cut_short) = self.work.spent();
                GatewayEvent::Done {
                    prompt_tokens: spent.tokens_in,
                    output_tokens: spent.tokens_out,
                    cut_short: cut_short && !self.enough,
                }
            }
            Ended::Failed { code, detail, .. } => self.failed(Fault::new(code, detail)),
        };
        self.say(&event)
    }

    /// The words for a failure, as this caller may hear them.
    fn failed(&self, fault: Fault) -> GatewayEvent {
        let profile = self
            .hub
            .relationship(self.caller.id)
            .map(|(_, known)| known);
        let caller = profile.as_ref().ok().map(|profile| (self.caller, profile));
        Failed::of(self.hub, caller, fault).event()
    }

    fn say(&self, event: &GatewayEvent) -> std::io::Result<()> {
        try_say(self.line, event)
    }
}

/// Takes the whole characters out of `bytes`; a beginning of one stays. What is no UTF-8 becomes the replacement character.
fn whole_characters(bytes: &mut Vec<u8>) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => bytes.len(),
    };
    let rest = bytes.split_off(whole);
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_told_when_it_is_whole() {
        let mut rest = "aä".as_bytes()[..2].to_vec();
        assert_eq!(whole_characters(&mut rest), "a");
        rest.push("ä".as_bytes()[1]);
        assert_eq!(whole_characters(&mut rest), "ä");
        assert!(rest.is_empty());
    }
}
