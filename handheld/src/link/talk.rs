//! A session in words of the app: events of the session machine become [`LinkEvent`]s, commands become its calls,
//! uploads are fed from the card. Pure but for the clock value handed in.

use std::collections::BTreeMap;

use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, sign_submit};
use shared_proto::error::{Misuse, PeerError};
use shared_proto::limits::{MAX_CHUNK_LEN, PROTOCOL_VERSION};
use shared_proto::message::{
    Credit, Data, Hello, LedgerHead, Offset, Offsets, RequestId, Screen, UPLOAD_SLOT,
};
use shared_proto::picture::Format;
use shared_proto::renewal::{
    Credentials, Fresh, HandheldRenewal, RenewalBinding, RenewalError, Renewing,
};
use shared_proto::session::{ClientEvent, ClientSession};
use shared_proto::time::Millis;

use super::{Command, Introduction, LinkEvent};
use crate::app::model::outbox::Failure;
use crate::app::model::{Carrier, Network, Source};
use crate::link::unpack::unpack;

/// Why a session is over.
#[derive(Debug)]
pub enum Over {
    /// The laptop broke a rule or fell silent.
    Peer(PeerError),
    /// A chunk did not unpack.
    Damaged(String),
}

/// One upload that the laptop asked for.
#[derive(Clone, Debug)]
struct Wanted {
    source: Source,
    at: u64,
}

/// A piece that the driver shall read next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Request.
    pub id: RequestId,
    /// Slot of the upload.
    pub slot: u8,
    /// Source on the card.
    pub source: Source,
    /// Where to read.
    pub offset: u64,
    /// How much.
    pub len: usize,
}

/// One open session.
pub struct Talk {
    session: ClientSession,
    signer: RingSigner,
    exporter: [u8; 32],
    carrier: Carrier,
    sources: BTreeMap<(RequestId, u8), Source>,
    wanted: BTreeMap<(RequestId, u8), Wanted>,
    events: Vec<LinkEvent>,
    /// Exporter values that a renewal is bound to.
    binding: RenewalBinding,
    renewal: Option<HandheldRenewal<RingCrypto>>,
    /// What a renewal agreed on, to be written down by the driver.
    agreed: Option<Credentials>,
    /// Seconds until the relationship ends, as last told.
    expires_in_s: u64,
    /// The laptop's network, as told in its greeting.
    network: Option<Network>,
    /// What the card knew of the laptop's ledger.
    seen: LedgerHead,
    /// How far it goes, as told in its greeting.
    ledger: Option<LedgerHead>,
}

impl Talk {
    /// Greets the laptop over a channel whose exporter value is given.
    ///
    /// # Errors
    /// The name is too long for a greeting.
    pub fn new(
        own: &Introduction,
        (last_id, seen): (u64, LedgerHead),
        signer: RingSigner,
        (exporter, binding): ([u8; 32], RenewalBinding),
        carrier: Carrier,
        now: Millis,
    ) -> Result<Self, Misuse> {
        let hello = Hello {
            version: PROTOCOL_VERSION,
            name: &own.name,
            app: env!("CARGO_PKG_VERSION"),
            screen: Screen {
                width: own.screen.0,
                height: own.screen.1,
            },
            formats: Format::Jpeg.bit() | Format::Png.bit() | Format::Rgb565.bit(),
            last_id,
            ledger: seen,
        };
        Ok(Self {
            session: ClientSession::new(&hello, now)?,
            signer,
            exporter,
            carrier,
            sources: BTreeMap::new(),
            wanted: BTreeMap::new(),
            events: Vec::new(),
            binding,
            renewal: None,
            agreed: None,
            expires_in_s: 0,
            network: None,
            seen,
            ledger: None,
        })
    }

    /// Whether the laptop has welcomed us.
    pub fn is_open(&self) -> bool {
        self.session.is_open()
    }

    /// Over what it runs.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// The network that the laptop has told of since the last call.
    pub fn take_network(&mut self) -> Option<Network> {
        self.network.take()
    }

    /// How far the laptop's ledger goes, where it has told since the last call.
    pub fn take_ledger(&mut self) -> Option<LedgerHead> {
        self.ledger.take()
    }

    /// When to call [`Talk::tick`] at the latest.
    pub fn deadline(&self) -> Millis {
        self.session.deadline()
    }

    /// Octets to send.
    pub fn take_transmit(&mut self) -> Vec<u8> {
        self.session.take_transmit()
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<LinkEvent> {
        std::mem::take(&mut self.events)
    }

    /// Looks at the clock.
    ///
    /// # Errors
    /// The laptop fell silent.
    pub fn tick(&mut self, now: Millis) -> Result<(), Over> {
        self.session.tick(now).map_err(Over::Peer)
    }

    /// Asks at once whether the laptop is still there.
    pub fn probe(&mut self, now: Millis) {
        self.session.probe(now);
    }

    /// Reads what came.
    ///
    /// # Errors
    /// The session is over. Events before the fault stay valid.
    pub fn receive(&mut self, bytes: &[u8], now: Millis) -> Result<(), Over> {
        let (events, wanted, sources, carrier) = (
            &mut self.events,
            &mut self.wanted,
            &mut self.sources,
            &self.carrier,
        );
        let mut damaged = None;
        let mut steps = Vec::new();
        let (expires_in_s, network) = (&mut self.expires_in_s, &mut self.network);
        let (ledger, seen) = (&mut self.ledger, &self.seen);
        let result = self.session.receive(bytes, now, |event| match event {
            ClientEvent::UploadWanted(Credit { id, slot, from, .. }) => {
                match sources.get(&(id, slot)) {
                    Some(source) => {
                        wanted.entry((id, slot)).or_insert(Wanted {
                            source: source.clone(),
                            at: from,
                        });
                    }
                    None => log::warn!(
                        "the laptop asks for an upload that request {} does not have",
                        id.0
                    ),
                }
            }
            ClientEvent::Data(data) if damaged.is_none() => match unpack(&data) {
                Ok(bytes) => events.push(LinkEvent::Data {
                    id: data.id,
                    slot: data.slot,
                    offset: data.offset,
                    bytes,
                    fin: data.fin,
                }),
                Err(why) => damaged = Some(why),
            },
            ClientEvent::Done(done) => {
                sources.retain(|(id, _), _| *id != done.id);
                wanted.retain(|(id, _), _| *id != done.id);
                events.push(LinkEvent::Done(done.id));
            }
            ClientEvent::Failed(failed) => {
                sources.retain(|(id, _), _| *id != failed.id);
                wanted.retain(|(id, _), _| *id != failed.id);
                let failure = Failure {
                    code: failed.code,
                    op: failed.op,
                    detail: failed.detail.to_owned(),
                };
                events.push(LinkEvent::Failed {
                    id: failed.id,
                    failure,
                });
            }
            ClientEvent::Renewed(step) => steps.push(step.to_vec()),
            other => {
                match &other {
                    ClientEvent::Welcome(welcome) => {
                        *expires_in_s = welcome.standing.expires_in_s;
                        *network = super::news::network(&welcome.link);
                        *ledger = Some(welcome.ledger);
                    }
                    ClientEvent::Notice(standing) => *expires_in_s = standing.expires_in_s,
                    _ => {}
                }
                events.extend(super::news::told(
                    other,
                    carrier,
                    seen,
                    crate::time::Millis(now.0),
                ));
            }
        });
        for step in steps {
            self.renewed(&step, now);
        }
        match damaged {
            Some(why) => Err(Over::Damaged(why)),
            None => result.map_err(Over::Peer),
        }
    }

    /// Carries out a command of the app. One that does not fit the session (it has just opened or closed) is dropped:
    /// the app takes everything up again at the next welcome.
    pub fn command(&mut self, command: Command, now: Millis) {
        let result = match command {
            Command::Submit {
                id,
                program,
                uploads,
            } => {
                self.offer(id, uploads);
                let hash = RingCrypto.sha256(&[&program]);
                let signature = sign_submit(&self.signer, self.exporter, id.0, hash);
                self.session.submit(id, &program, &signature.0, now)
            }
            Command::Resume {
                id,
                offsets,
                uploads,
            } => {
                self.offer(id, uploads);
                let offsets: Offsets = offsets
                    .into_iter()
                    .map(|(slot, offset)| Offset { slot, offset })
                    .collect();
                self.session.resume(id, offsets, now)
            }
            Command::Cancel(id) => self.session.cancel(id, now),
            Command::Ack(id) => self.session.ack(id, now),
            Command::Stored { id, slot, offset } => self.session.stored(id, slot, offset, now),
            Command::Farewell => self.session.farewell(now),
            Command::Renew => self.renew(now),
            Command::Target(_)
            | Command::Reconnect
            | Command::Pair(_)
            | Command::Look(_)
            | Command::WatchSignal(_)
            | Command::Rest
            | Command::PairConfirm
            | Command::PairCancel => Ok(()),
        };
        if let Err(misuse) = result {
            log::debug!("command dropped: {misuse:?}");
        }
    }

    /// Begins a renewal; one at a time.
    fn renew(&mut self, now: Millis) -> Result<(), Misuse> {
        if self.renewal.is_some() {
            return Ok(());
        }
        let Ok(fresh) = Fresh::generate() else {
            log::warn!("no renewal: the system gives no random numbers");
            self.events.push(LinkEvent::NotRenewed);
            return Ok(());
        };
        let (machine, step) = HandheldRenewal::start(RingCrypto, self.binding.clone(), fresh);
        self.renewal = Some(machine);
        self.session.renew(&step, now)
    }

    fn renewed(&mut self, step: &[u8], now: Millis) {
        let Some(mut machine) = self.renewal.take() else {
            log::warn!("the laptop sends a step of a renewal that nobody began");
            return;
        };
        match machine.receive(step, &self.signer) {
            Ok(Renewing::Send(step)) => {
                self.renewal = Some(machine);
                if let Err(misuse) = self.session.renew(&step, now) {
                    log::debug!("renewal dropped: {misuse:?}");
                }
            }
            Ok(Renewing::Store(credentials)) => self.agreed = Some(credentials),
            Err(error) => {
                if error != RenewalError::Declined {
                    log::warn!("the renewal failed: {error}");
                }
                self.events.push(LinkEvent::NotRenewed);
            }
        }
    }

    /// New keys that both sides agreed on: to be written down, then [`Talk::adopted`].
    pub fn take_agreed(&mut self) -> Option<Credentials> {
        self.agreed.take()
    }

    /// The new keys are on the card, or could not be written.
    pub fn adopted(&mut self, kept: bool) {
        self.events.push(match kept {
            true => LinkEvent::Renewed {
                expires_in_s: self.expires_in_s,
            },
            false => LinkEvent::NotRenewed,
        });
    }

    fn offer(&mut self, id: RequestId, uploads: Vec<crate::app::model::Upload>) {
        for upload in uploads {
            self.sources
                .insert((id, UPLOAD_SLOT + upload.constant), upload.source);
        }
    }

    /// The piece to read next from the card, if the laptop waits for one.
    pub fn next_fetch(&self) -> Option<Fetch> {
        self.wanted.iter().find_map(|(&(id, slot), wanted)| {
            let len = self
                .session
                .upload_window(id, slot)
                .min(MAX_CHUNK_LEN as u64) as usize;
            (len > 0).then(|| Fetch {
                id,
                slot,
                source: wanted.source.clone(),
                offset: wanted.at,
                len,
            })
        })
    }

    /// Sends a piece that was read; `whole` is the length of its source.
    pub fn fetched(&mut self, fetch: &Fetch, bytes: &[u8], whole: u64, now: Millis) {
        let key = (fetch.id, fetch.slot);
        let end = fetch.offset + bytes.len() as u64;
        let fin = end >= whole;
        let data = Data {
            id: fetch.id,
            slot: fetch.slot,
            offset: fetch.offset,
            raw_len: 0,
            fin,
            bytes,
        };
        if let Err(misuse) = self.session.upload(&data, now) {
            log::debug!("upload dropped: {misuse:?}");
            self.wanted.remove(&key);
            return;
        }
        self.events.push(LinkEvent::Uploaded {
            id: fetch.id,
            sent: end,
            len: whole,
        });
        match self.wanted.get_mut(&key) {
            Some(wanted) if !fin && !bytes.is_empty() => wanted.at = end,
            _ => {
                self.wanted.remove(&key);
            }
        }
    }

    /// A piece could not be read: the request is stopped, because it can never become whole.
    pub fn not_fetched(&mut self, fetch: &Fetch, now: Millis) {
        self.wanted.remove(&(fetch.id, fetch.slot));
        log::warn!(
            "an upload of request {} cannot be read from the card",
            fetch.id.0
        );
        let _ = self.session.cancel(fetch.id, now);
    }
}
