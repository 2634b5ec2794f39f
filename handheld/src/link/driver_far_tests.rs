//! The laptop at the other end, made of the same machines.

use shared_proto::token;

use super::*;

/// The laptop's end of one connection.
pub(super) struct Far {
    pub(super) stream: TcpStream,
    pub(super) channel: TlsChannel,
    /// What came with the end of the handshake.
    pub(super) early: Vec<u8>,
}

impl Far {
    /// Accepts one connection; `None` if it is refused as unknown.
    pub(super) fn accept(listener: &TcpListener, keys: &Keys) -> Option<Self> {
        let own = RelationshipKey::from_bytes(keys.laptop);
        Self::accept_by(listener, &own, public(keys.handheld), SECRET)
    }

    pub(super) fn accept_by(
        listener: &TcpListener,
        own: &RelationshipKey,
        peer: PublicKey,
        secret: [u8; 32],
    ) -> Option<Self> {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let mut acceptor = Acceptor::new();
        let mut buffer = [0; 4096];
        let hello = loop {
            let got = read(&mut stream, &mut buffer)?;
            if let Some(hello) = acceptor.receive(&buffer[..got]).unwrap() {
                break hello;
            }
        };
        let channel = match hello.purpose() {
            Purpose::Pairing => hello.accept_pairing(own).unwrap(),
            Purpose::Data => {
                let secret = TokenSecret::from_bytes(secret);
                if token::find(&RingCrypto, &hello.server_name(), [&secret]).is_none() {
                    stream.write_all(&hello.refuse_unknown().alert).unwrap();
                    return None;
                }
                hello.accept(own, peer).unwrap()
            }
        };
        let mut far = Self {
            stream,
            channel,
            early: Vec::new(),
        };
        while far.channel.is_handshaking() {
            far.early = far.turn()?;
        }
        Some(far)
    }

    /// Sends what waits, takes in what came.
    pub(super) fn turn(&mut self) -> Option<Vec<u8>> {
        if !self.early.is_empty() {
            return Some(std::mem::take(&mut self.early));
        }
        let mut out = Vec::new();
        self.channel.transmit(&mut out);
        self.stream.write_all(&out).ok()?;
        let mut buffer = [0; 8192];
        let got = read(&mut self.stream, &mut buffer)?;
        let (mut at, mut plain) = (0, Vec::new());
        while at < got {
            at += self.channel.receive(&buffer[at..got]).ok()?;
            let mut piece = [0; 8192];
            while let n @ 1.. = self.channel.read(&mut piece).ok()? {
                plain.extend_from_slice(&piece[..n]);
            }
        }
        Some(plain)
    }

    pub(super) fn say(&mut self, plain: &[u8]) {
        let mut rest = plain;
        while !rest.is_empty() {
            rest = &rest[self.channel.write(rest).unwrap()..];
            let mut out = Vec::new();
            self.channel.transmit(&mut out);
            if self.stream.write_all(&out).is_err() {
                return;
            }
        }
    }

    /// Runs a session until the closure says stop or the handheld leaves.
    pub(super) fn serve(self, answer: impl FnMut(&mut ServerSession, &Owned, [u8; 32]) -> bool) {
        self.serve_with(Default::default(), answer);
    }

    /// The same, from a laptop that tells where it is found again.
    pub(super) fn serve_with(
        mut self,
        link: shared_proto::message::Link<'static>,
        mut answer: impl FnMut(&mut ServerSession, &Owned, [u8; 32]) -> bool,
    ) {
        let exporter = self.channel.exporter(EXPORTER_SUBMIT, &[]).unwrap();
        let mut session = ServerSession::new(Millis(clock()));
        let mut going = true;
        while going {
            let Some(plain) = self.turn() else { return };
            let mut events = Vec::new();
            session
                .receive(&plain, Millis(clock()), |event| events.push(own(event)))
                .unwrap();
            for event in &events {
                if matches!(event, Owned::Hello) {
                    let greeting = Greeting { link, ..greeting() };
                    session.welcome(&greeting).unwrap();
                }
                going &= answer(&mut session, event, exporter);
            }
            let out = session.take_transmit();
            self.say(&out);
        }
    }
}

fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<usize> {
    match stream.read(buffer) {
        Ok(0) => None,
        Ok(n) => Some(n),
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            ) =>
        {
            Some(0)
        }
        Err(_) => None,
    }
}

/// Events outlive the call that reads them.
#[allow(clippy::large_enum_variant)] // One at a time.
pub(super) enum Owned {
    Hello,
    Submit(RequestId, Vec<u8>, Vec<u8>),
    Resume(shared_proto::message::Resume),
    Upload(u64, Vec<u8>, bool),
    Cancel(RequestId),
    Ack(RequestId),
    Renew(Vec<u8>),
    Other,
}

pub(super) fn own(event: ServerEvent<'_>) -> Owned {
    match event {
        ServerEvent::Hello(_) => Owned::Hello,
        ServerEvent::Submit(s) => Owned::Submit(s.id, s.program.to_vec(), s.signature.to_vec()),
        ServerEvent::Resume(r) => Owned::Resume(r),
        ServerEvent::Upload(d) => Owned::Upload(d.offset, d.bytes.to_vec(), d.fin),
        ServerEvent::Cancel(id) => Owned::Cancel(id),
        ServerEvent::Ack(id) => Owned::Ack(id),
        ServerEvent::Renew(step) => Owned::Renew(step.to_vec()),
        _ => Owned::Other,
    }
}

pub(super) fn greeting() -> Greeting<'static> {
    Greeting {
        version: shared_proto::limits::PROTOCOL_VERSION,
        name: "Ada's ThinkPad",
        time_ms: 1_700_000_000_000,
        utc_offset_min: 60,
        floor: 4,
        standing: Default::default(),
        link: Default::default(),
        ledger: Default::default(),
    }
}

pub(super) fn data(id: RequestId, offset: u64, bytes: &[u8], fin: bool) -> Data<'_> {
    Data {
        id,
        slot: 0,
        offset,
        raw_len: 0,
        fin,
        bytes,
    }
}

pub(super) fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}
