//! Why a try ended: a sentence for the connection screen, and what it asks for.

use shared_proto::channel::{ChannelError, PeerReason};

use super::pipe::PipeError;
use super::talk::Over;
use crate::app::model::Carrier;
use crate::app::model::laptop::Attempt;

/// How a try ended.
pub(super) struct Lost {
    /// A sentence for the connection screen.
    pub(super) why: String,
    /// Over what it was tried.
    pub(super) carrier: Option<Carrier>,
    pub(super) manner: Manner,
}

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Another try, soon.
    Hurry,
    /// Another try, but hurry helps nobody.
    Patience,
    /// Patience, and that the person hears of it: whoever answers there says that this relationship is no more. Nothing
    /// vouches for that word, so it is no reason to stop trying.
    Over,
}

/// Keeps the last failure of each carrier.
pub(super) fn note(attempts: &mut Vec<Attempt>, carrier: Option<Carrier>, why: String) {
    if let Some(carrier) = carrier {
        attempts.retain(|a| a.carrier != carrier);
        attempts.push(Attempt { carrier, why });
    }
}

/// A sentence for the connection screen, and what it asks for.
pub(super) fn sentence(error: &PipeError) -> (String, Manner) {
    match error {
        PipeError::Closed => ("The laptop ended the session.".into(), Manner::Hurry),
        PipeError::Carrier(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            ("The laptop did not answer in time.".into(), Manner::Hurry)
        }
        PipeError::Carrier(error) => (format!("The connection broke: {error}."), Manner::Hurry),
        PipeError::Channel(ChannelError::Truncated) => ("The connection broke.".into(), Manner::Hurry),
        PipeError::Channel(ChannelError::RefusedByPeer(PeerReason::UnknownRelationship)) => {
            ("A laptop answers that does not know this handheld: the pairing has ended there, or it is another laptop that has your network's name and passphrase. If it is yours, pair again.".into(), Manner::Over)
        }
        PipeError::Channel(ChannelError::WrongPeerKey) => {
            ("Another laptop answers there than the one paired with.".into(), Manner::Patience)
        }
        PipeError::Channel(ChannelError::Incompatible) => {
            ("What answers there is not OfficeOS, or another version of it.".into(), Manner::Patience)
        }
        PipeError::Channel(error) => (format!("The channel ended: {error}."), Manner::Hurry),
    }
}

pub(super) fn fault(over: Over) -> (String, Manner) {
    match over {
        Over::Peer(shared_proto::error::PeerError::Silent) => {
            ("The laptop fell silent.".into(), Manner::Hurry)
        }
        Over::Peer(error @ shared_proto::error::PeerError::Version(_)) => (
            format!("The laptop runs another version: {error}."),
            Manner::Patience,
        ),
        Over::Peer(error) => (
            format!("The laptop broke a rule of the session: {error}."),
            Manner::Hurry,
        ),
        Over::Damaged(why) => (
            format!("The laptop sent damaged data: {why}."),
            Manner::Hurry,
        ),
    }
}
