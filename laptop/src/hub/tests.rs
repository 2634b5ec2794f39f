//! Requests from admission to acknowledgement, over a real store and a scripted service.

use super::*;
use crate::ipc::scripted;
use crate::policy::Rule;
use crate::store::NewRelationship;
use crate::store::testing::TempFolder;
use shared_proto::context::EMPTY;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, Signer, TokenSecret, sign_submit};
use shared_proto::error::ErrorCode;
use shared_proto::message::{RequestId, Screen, UPLOAD_SLOT};
use shared_proto::opcode::Operation;
use shared_proto::program::{Blob, Builder, Chat, Complete, Op, Put, ValueType, Write};
use shared_proto::renewal::Credentials;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, channel};

mod admission;
mod end;
mod question;
mod together;
mod turns;

/// Sharing that does not look at this machine.
fn calm() -> Sharing {
    Sharing {
        root: PathBuf::from("/nonexistent"),
        ..Sharing::default()
    }
}

struct Office {
    hub: Arc<Hub>,
    relationship: RelationshipId,
    key: RelationshipKey,
    asked: &'static AtomicUsize,
    folder: TempFolder,
    socket: PathBuf,
}

const EXPORTER: [u8; 32] = [7; 32];

impl Office {
    fn new(name: &str) -> Self {
        let folder = TempFolder::new(&format!("hub-{name}"));
        let (socket, asked) = scripted::start(&format!("hub-{name}"));
        let (key, signer) = RingSigner::generate().unwrap();
        let (ours, _) = RingSigner::generate().unwrap();
        let hub = open(&folder, &socket, Duration::from_secs(60));
        let keys = Credentials {
            own: ours,
            peer: signer.public_key(),
            token: TokenSecret::generate(&RingCrypto).unwrap(),
        };
        let now = hub.wall();
        let new = NewRelationship {
            name: "Pocket".into(),
            keys,
            screen: (640, 480),
            created_at: now,
            expires_at: now + 3600,
            provisional_until: now + 3600,
        };
        let relationship = hub
            .store
            .add_relationship(&new, &Profile::of_new_device())
            .unwrap()
            .id;
        let office = Self {
            hub,
            relationship,
            key,
            asked,
            folder,
            socket,
        };
        office.permit(Rule::Allow);
        office
    }

    fn permit(&self, rule: Rule) {
        let change = |profile: &mut Profile| {
            Operation::ALL
                .into_iter()
                .for_each(|op| profile.set_rule(op, rule))
        };
        self.hub
            .store
            .change_profile(self.relationship, change)
            .unwrap();
        self.hub.changed(self.relationship);
    }

    fn submission(&self, id: u64, program: Vec<u8>) -> Submission {
        let digest = RingCrypto.sha256(&[&program]);
        let signature = sign_submit(&RingSigner::new(&self.key), EXPORTER, id, digest);
        Submission {
            id: RequestId(id),
            program,
            proof: Proof::Signed {
                signature: signature.0.to_vec(),
                exporter: EXPORTER,
            },
            attached: Vec::new(),
            screen: Screen {
                width: 640,
                height: 480,
            },
            formats: 7,
        }
    }

    fn submit(&self, id: u64, text: &str) -> Result<Arc<Work>, Refusal> {
        self.hub
            .submit(self.relationship, &self.submission(id, ask(text)))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits for what a worker does once its end is seen.
    fn until(&self, holds: impl Fn(&Live) -> bool) {
        let late = Instant::now() + Duration::from_secs(60);
        while !self.hub.lock().get(&self.relationship).is_some_and(&holds) {
            assert!(Instant::now() < late, "nothing happened for a minute");
            std::thread::yield_now();
        }
    }

    /// The same store under a new daemon.
    fn restart(&mut self) {
        let idle = Hub::new(
            Arc::clone(&self.hub.store),
            (*self.hub.settings()).clone(),
            self.hub.services.clone(),
        );
        let old = std::mem::replace(&mut self.hub, idle.unwrap());
        drop(old);
    }
}

fn open(folder: &TempFolder, socket: &std::path::Path, ask_timeout: Duration) -> Arc<Hub> {
    let store = Arc::new(Store::open(&folder.0.join("state")).unwrap());
    let settings = Settings {
        name: "Ada's ThinkPad".into(),
        files: folder.0.join("files"),
        scratch: folder.0.join("scratch"),
        quota: 1 << 20,
        ask_timeout,
        retention: Retention::default(),
        language: true,
        image: false,
        renewal_s: 30 * 24 * 3600,
        sharing: calm(),
    };
    let client = ServiceClient::same_user(socket);
    let services = Services {
        language: client.clone(),
        image: client.clone(),
        downloads: client,
    };
    Hub::new(store, settings, services).unwrap()
}

fn ask(text: &str) -> Vec<u8> {
    let mut b = Builder::new();
    let model = b.name("");
    let input = b.text(text);
    let answer = b.op(&Op::Complete(Complete {
        model,
        input,
        max_tokens: 9,
        temperature: None,
    }));
    b.emit(answer);
    b.finish().unwrap()
}

/// A chat in conversation 5.
fn say(text: &str, parent: [u8; 8]) -> Vec<u8> {
    let mut b = Builder::new();
    let model = b.name("");
    let input = b.text(text);
    let chat = Chat {
        model,
        conversation: 5,
        parent,
        history: None,
        system: None,
        input,
        max_tokens: 9,
        temperature: None,
    };
    let answer = b.op(&Op::Chat(chat));
    b.emit(answer);
    b.finish().unwrap()
}

/// Signals of a work, as a session gets them.
fn follow(work: &Work) -> Receiver<()> {
    let (sender, signals) = channel();
    work.follow(Arc::new(move |_| {
        let _ = sender.send(());
    }));
    signals
}

fn until<T>(work: &Work, mut look: impl FnMut(&work::View) -> Option<T>) -> T {
    let signals = follow(work);
    loop {
        if let Some(found) = look(&work.view(&Followed::default())) {
            return found;
        }
        signals
            .recv_timeout(Duration::from_secs(60))
            .expect("nothing happened for a minute");
    }
}

fn end(work: &Work) -> Ended {
    until(work, |view| view.ended.clone())
}

fn text(work: &Work) -> String {
    let len = work.view(&Followed::default()).streams[0].1 as usize;
    String::from_utf8(work.read(0, 0, len).unwrap()).unwrap()
}

fn code(ended: &Ended) -> Option<ErrorCode> {
    match ended {
        Ended::Done(_) => None,
        Ended::Failed { code, .. } => Some(*code),
    }
}
