use super::seal::octets;
use super::*;
use crate::app::effect::{Effect, Target as Wanted};
use crate::app::model::laptop::Laptop;
use crate::app::model::outbox::{Entry, Origin, Wish};
use crate::app::model::picture::{Made, Recipe};
use crate::app::model::{
    Carrier, Chat, EntryState, Picture, PictureId, PictureState, Role, Turn, TurnState,
};
use crate::app::msg::{LinkEvent, Trouble};
use crate::card::{Relationship, Table};
use crate::input::button::Button;
use smol::channel::unbounded;

struct Bench {
    keeper: Keeper,
    told: Receiver<Msg>,
    sent: Receiver<Command>,
    home: PathBuf,
}

fn bench(name: &str) -> Bench {
    let home = std::env::temp_dir().join(format!("officeos-keeper-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&home);
    let (tell, told) = unbounded();
    let (link, sent) = unbounded();
    let keeper = Keeper::open(&home, tell, link, || 0).unwrap();
    assert!(matches!(keeper.state, State::Open(_)));
    let bench = Bench {
        keeper,
        told,
        sent,
        home,
    };
    bench.told();
    bench
}

impl Bench {
    fn effect(&mut self, effect: Effect) {
        self.keeper.carry_out(Errand::Effect(effect));
    }

    fn told(&self) -> Vec<CardEvent> {
        let events = std::iter::from_fn(|| self.told.try_recv().ok());
        events
            .filter_map(|msg| match msg {
                Msg::Card(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    fn acknowledged(&self) -> Vec<RequestId> {
        let commands = std::iter::from_fn(|| self.sent.try_recv().ok());
        commands
            .filter_map(|command| match command {
                Command::Ack(id) => Some(id),
                _ => None,
            })
            .collect()
    }

    fn entries(&mut self) -> usize {
        let card = self.keeper.card().unwrap();
        card.items().table(Table::Outbox).count()
    }

    fn pair(&mut self) -> LaptopId {
        let relationship = Relationship {
            id: 0,
            seed: [1; 32],
            peer: [2; 32],
            token_secret: [3; 32],
            next: None,
        };
        let laptop = Laptop {
            carriers: vec![Carrier::Usb],
            ..Laptop::default()
        };
        self.keeper.pair(relationship, laptop).unwrap().id
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

fn entry(laptop: LaptopId, origin: Origin) -> Box<Entry> {
    Box::new(Entry::new(laptop, origin, Wish::Paint, 0))
}

/// A conversation with an answer that has ended.
fn answered(id: ChatId, request: RequestKey, title: String) -> Box<Chat> {
    let turn = Turn {
        role: Role::Answer,
        text: "words".into(),
        model: String::new(),
        at: 0,
        request: Some(request),
        state: TurnState::Done,
    };
    Box::new(Chat {
        id,
        wire_id: 1,
        kind: crate::app::model::chat::ChatKind::Chat,
        title,
        named: false,
        model: String::new(),
        system: String::new(),
        turns: vec![turn],
        context_from: 0,
        changed: 0,
        unread: false,
    })
}

/// More than one value of the card holds.
fn too_long() -> String {
    "x".repeat(crate::card::items::MAX_VALUE + 1)
}

#[test]
fn an_answer_that_the_card_refuses_is_not_acknowledged_and_its_request_stays() {
    let mut b = bench("answer");
    let laptop = b.pair();
    let chat = ChatId(4);
    let new = entry(laptop, Origin::Chat(chat));
    b.effect(Effect::NewRequest {
        ticket: 1,
        entry: new,
    });
    b.keeper.linked = Some(laptop);
    let id = RequestId(1);
    let key = RequestKey { laptop, id };
    b.effect(Effect::SaveChat(answered(chat, key, too_long())));
    b.effect(Effect::DropEntry(laptop, id));
    b.keeper.carry_out(Errand::Pass(Command::Ack(id)));
    assert_eq!((b.entries(), b.acknowledged()), (1, vec![]));
    // Nor does another attempt that fails let it go.
    b.effect(Effect::SaveChat(answered(chat, key, too_long())));
    assert_eq!((b.entries(), b.acknowledged()), (1, vec![]));
    // Written after all, it goes, and the laptop hears of it.
    b.effect(Effect::SaveChat(answered(chat, key, "short".into())));
    assert_eq!((b.entries(), b.acknowledged()), (0, vec![id]));
}

#[test]
fn what_has_no_place_on_the_card_gets_no_number() {
    let mut b = bench("question");
    let laptop = b.pair();
    let chat = ChatId(4);
    let id = RequestId(9);
    let key = RequestKey { laptop, id };
    b.effect(Effect::SaveChat(answered(chat, key, too_long())));
    b.told();
    let ask = |ticket| Effect::NewRequest {
        ticket,
        entry: entry(laptop, Origin::Chat(chat)),
    };
    b.effect(ask(3));
    let told = b.told();
    assert!(
        matches!(&told[..], [CardEvent::NotNumbered { ticket: 3, failure }] if failure.code != Failure::DAMAGED),
        "{told:?}"
    );
    let mut picture = Picture {
        id: PictureId(2),
        recipe: Recipe {
            prompt: too_long(),
            ..Recipe::default()
        },
        made: Made::Painted,
        from: None,
        at: 0,
        request: None,
        state: PictureState::Open,
        size: None,
        thumb: None,
        raster: None,
    };
    b.effect(Effect::SavePicture(Box::new(picture.clone())));
    b.told();
    let paint = |ticket| Effect::NewRequest {
        ticket,
        entry: entry(laptop, Origin::Picture(PictureId(2))),
    };
    b.effect(paint(5));
    let told = b.told();
    assert!(
        matches!(&told[..], [CardEvent::NotNumbered { ticket: 5, .. }]),
        "{told:?}"
    );
    assert_eq!(b.entries(), 0);
    // Once it has, it does.
    picture.recipe.prompt.clear();
    b.effect(Effect::SavePicture(Box::new(picture)));
    b.effect(paint(6));
    assert!(
        matches!(&b.told()[..], [CardEvent::Numbered { ticket: 6, .. }]),
        "no number"
    );
    b.effect(Effect::SaveChat(answered(chat, key, "short".into())));
    b.effect(ask(4));
    assert!(
        matches!(&b.told()[..], [CardEvent::Numbered { ticket: 4, .. }]),
        "no number"
    );
}

#[test]
fn what_the_card_did_not_take_is_written_with_the_next_that_it_takes() {
    let mut b = bench("later");
    let laptop = b.pair();
    let id = RequestId(9);
    let key = RequestKey { laptop, id };
    let chats = |b: &mut Bench| {
        b.keeper
            .card()
            .unwrap()
            .items()
            .table(Table::Conversation)
            .count()
    };
    // Its segment is gone: where it was, nothing can be written.
    let segment = b.home.join("card/a000.seg");
    let aside = b.home.join("aside");
    let written = std::fs::rename(&segment, &aside).and_then(|()| std::fs::create_dir(&segment));
    written.unwrap();
    b.effect(Effect::SaveChat(answered(ChatId(1), key, "first".into())));
    assert_eq!(chats(&mut b), 0);
    let back = std::fs::remove_dir(&segment).and_then(|()| std::fs::rename(&aside, &segment));
    back.unwrap();
    b.effect(Effect::SaveChat(answered(ChatId(2), key, "second".into())));
    assert_eq!(chats(&mut b), 2);
}

#[test]
fn a_request_without_room_is_told_as_not_numbered() {
    let mut b = bench("room");
    let laptop = b.pair();
    let new = entry(laptop, Origin::Fetch(too_long()));
    b.effect(Effect::NewRequest {
        ticket: 7,
        entry: new,
    });
    let told = b.told();
    assert!(
        told.iter()
            .any(|e| matches!(e, CardEvent::NotNumbered { ticket: 7, failure } if failure.code != Failure::DAMAGED)),
        "{told:?}"
    );
    assert_eq!(b.entries(), 0);
}

#[test]
fn a_result_with_a_hole_is_never_kept_and_is_whole_when_it_comes_again() {
    let mut b = bench("hole");
    let laptop = b.pair();
    let (id, slot) = (RequestId(1), 0);
    let part = |offset, bytes: &[u8]| Effect::SavePart {
        laptop,
        id,
        slot,
        offset,
        bytes: bytes.to_vec(),
    };
    let keep = || Effect::Keep {
        laptop,
        id,
        slot,
        target: Wanted::File("a.txt".into()),
    };
    b.effect(part(0, b"one "));
    // A part between was refused; it makes no difference for which reason.
    b.effect(part(8, b"three"));
    b.effect(part(13, b" four"));
    b.effect(keep());
    let told = b.told();
    let refused = told.iter().filter(
        |e| matches!(e, CardEvent::NotKept { failure, .. } if failure.code != Failure::DAMAGED),
    );
    assert_eq!(
        refused.count(),
        2,
        "once for the part, once for keeping: {told:?}"
    );
    assert!(!told.iter().any(|e| matches!(e, CardEvent::Kept { .. })));
    assert_eq!(b.keeper.drawer.list().unwrap(), []);
    // Fetched again from its beginning.
    b.effect(part(0, b"one two three"));
    b.effect(keep());
    assert!(
        b.told()
            .iter()
            .any(|e| matches!(e, CardEvent::Kept { len: 13, .. }))
    );
    assert_eq!(b.keeper.drawer.list().unwrap()[0].len, 13);
}

#[test]
fn a_laptop_that_is_paired_after_another_was_forgotten_inherits_nothing() {
    let mut b = bench("forget");
    let first = b.pair();
    b.effect(Effect::NewRequest {
        ticket: 1,
        entry: entry(first, Origin::Fetch("a".into())),
    });
    b.effect(Effect::SavePart {
        laptop: first,
        id: RequestId(1),
        slot: 0,
        offset: 0,
        bytes: b"half of a file".to_vec(),
    });
    b.keeper.carry_out(Errand::Forget(first));
    assert_eq!((b.entries(), b.keeper.parts.lengths()), (0, vec![]));
    assert_ne!(b.pair(), first);
    let card = b.keeper.card().unwrap();
    assert_eq!(card.items().table(Table::Part).count(), 0);
}

#[test]
fn a_state_that_could_not_be_written_keeps_its_submission_back() {
    let mut b = bench("state");
    let laptop = b.pair();
    b.keeper.linked = Some(laptop);
    let mut sent = entry(laptop, Origin::Listing);
    sent.id = RequestId(3);
    sent.state = EntryState::Sent;
    sent.program = Some(too_long().into_bytes());
    b.effect(Effect::SaveEntry(sent));
    b.told();
    b.keeper.carry_out(Errand::Pass(Command::Submit {
        id: RequestId(3),
        program: vec![1],
        uploads: Vec::new(),
    }));
    assert!(b.sent.is_empty());
    let Ok(Msg::Link(LinkEvent::Failed { id, failure })) = b.told.try_recv() else {
        panic!("nobody is told");
    };
    assert_eq!(id, RequestId(3));
    assert!(
        failure.detail.contains("than the card stores"),
        "{failure:?} is not the card's"
    );
}

#[test]
fn a_picture_that_cannot_be_read_just_now_is_not_called_damaged() {
    let mut b = bench("unreadable");
    let laptop = b.pair();
    let (id, slot, picture) = (RequestId(1), 0, PictureId(4));
    let raster = crate::app::model::Raster {
        width: 1,
        height: 1,
        rgb: vec![1, 2, 3],
    };
    let png = raster::to_png(&raster).unwrap();
    b.effect(Effect::SavePart {
        laptop,
        id,
        slot,
        offset: 0,
        bytes: [&[shared_proto::picture::Format::Png as u8][..], &png].concat(),
    });
    b.effect(Effect::Keep {
        laptop,
        id,
        slot,
        target: Wanted::Picture(picture),
    });
    let load = || Effect::LoadPicture { picture, fit: None };
    b.told();
    b.effect(load());
    let shown = |e: &CardEvent| {
        matches!(
            e,
            CardEvent::Raster {
                raster: Some(_),
                ..
            }
        )
    };
    assert!(b.told().iter().any(shown));
    // Something that can be listed and not read stands in its place.
    let blob = Parts::blob_of(b.keeper.card().unwrap().items(), picture).unwrap();
    let path = b.home.join("card").join(blob);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    b.effect(load());
    let told = b.told();
    assert!(
        matches!(
            told.as_slice(),
            [CardEvent::Trouble {
                kind: Trouble::Broken,
                ..
            }]
        ),
        "{told:?}"
    );
}

#[test]
fn a_locked_card_that_cannot_be_read_after_the_sequence_says_so_and_lets_go_of_the_lock() {
    let b = bench("sealed");
    let (tell, told) = unbounded();
    let (link, _sent) = unbounded();
    let sequence = [
        Button::Up,
        Button::Down,
        Button::A,
        Button::B,
        Button::X,
        Button::Y,
    ];
    let home = b.home.join("second");
    let mut keeper = Keeper::open(&home, tell.clone(), link.clone(), || 0).unwrap();
    keeper
        .card()
        .unwrap()
        .set_lock(Some(&octets(&sequence)), 1000)
        .unwrap();
    drop(keeper);
    let mut keeper = Keeper::open(&home, tell, link, || 0).unwrap();
    assert!(matches!(keeper.state, State::Locked(_)));
    let root = home.join("card").join("root.a");
    std::fs::remove_file(&root).unwrap();
    std::fs::create_dir(&root).unwrap();
    while told.try_recv().is_ok() {}
    keeper.carry_out(Errand::Effect(Effect::Unlock(sequence.to_vec())));
    assert!(matches!(
        told.try_recv(),
        Ok(Msg::Card(CardEvent::Loaded(_)))
    ));
    assert!(matches!(
        told.try_recv(),
        Ok(Msg::Card(CardEvent::Trouble { .. }))
    ));
}

#[test]
fn the_link_is_told_the_network_that_a_laptop_opens() {
    let mut b = bench("network");
    let laptop = b.pair();
    let network = crate::app::model::Network {
        ssid: b"DIRECT-k7-Ada".to_vec(),
        passphrase: "abcd2345efgh".into(),
        frequency: 2437,
        port: 8144,
    };
    b.keeper.carry_out(Errand::Link(Some(Reach {
        laptop,
        carriers: vec![Carrier::WifiDirect],
        network: Some(network.clone()),
    })));
    let Ok(Command::Target(Some(target))) = b.sent.try_recv() else {
        panic!("no target")
    };
    assert_eq!(
        (target.network, target.carriers),
        (Some(network), vec![Carrier::WifiDirect])
    );
}

#[test]
fn what_one_laptop_waits_for_holds_nothing_of_another_back() {
    let mut b = bench("two");
    let (ada, bob) = (b.pair(), b.pair());
    let id = RequestId(1);
    let chat = ChatId(4);
    for laptop in [ada, bob] {
        let entry = entry(laptop, Origin::Chat(chat));
        b.effect(Effect::NewRequest { ticket: 1, entry });
    }
    // An answer of the one is not on the card, and an entry of the same number at it could not be written.
    let key = RequestKey { laptop: ada, id };
    b.effect(Effect::SaveChat(answered(chat, key, too_long())));
    let mut unwritten = entry(ada, Origin::Fetch(too_long()));
    unwritten.id = id;
    b.effect(Effect::SaveEntry(unwritten));
    b.keeper.linked = Some(bob);
    b.keeper.carry_out(Errand::Pass(Command::Ack(id)));
    assert_eq!(b.acknowledged(), [id]);
    b.effect(Effect::DropEntry(bob, id));
    assert_eq!(b.entries(), 1);
    b.keeper.linked = Some(ada);
    b.keeper.carry_out(Errand::Pass(Command::Ack(id)));
    b.effect(Effect::DropEntry(ada, id));
    assert_eq!((b.acknowledged(), b.entries()), (vec![], 1));
}

#[test]
fn data_of_a_newer_version_is_refused_in_words_and_left_as_it_is() {
    let mut b = bench("newer");
    b.pair();
    let newer = Change::Put(Table::Laptop, crate::card::Key(1, 0), vec![9, 1, 2, 3]);
    b.keeper.change(vec![newer]).unwrap();
    let before = b.keeper.card().unwrap().items().clone();
    // Lets go of the folder, as a start does that follows.
    b.keeper.state = State::Useless(String::new());
    let (tell, told) = unbounded();
    let (link, _sent) = unbounded();
    let mut keeper = Keeper::open(&b.home, tell, link, || 0).unwrap();
    let Ok(Msg::Card(CardEvent::Loaded(stored))) = told.try_recv() else {
        panic!("the app opens all the same")
    };
    assert_eq!(stored.laptops.len(), 0, "nothing is read in part");
    let Ok(Msg::Card(CardEvent::Trouble { kind, detail })) = told.try_recv() else {
        panic!("it says why")
    };
    assert_eq!(kind, Trouble::Newer);
    assert!(detail.contains("newer version"), "{detail}");
    // What the person does in the meantime writes nothing over it.
    keeper.carry_out(Errand::Effect(Effect::SaveWords("1 word\n".into())));
    drop(keeper);
    let folder = Folder::open(&b.home.join("card")).unwrap();
    let Ok(Opened::Ready(card, _)) = Card::open(folder, 0) else {
        panic!("the card itself is whole")
    };
    assert_eq!(card.items(), &before);
    assert_eq!(card.words(), None);
}

#[test]
fn half_a_file_that_nobody_was_told_of_is_gone_at_the_next_start() {
    let mut b = bench("half");
    b.effect(Effect::WriteFile {
        name: "whole.txt".into(),
        bytes: b"whole".to_vec(),
    });
    b.keeper
        .change(vec![shelf::begin_file("half.txt")])
        .unwrap();
    std::fs::write(b.home.join("files/half.txt"), b"ha").unwrap();
    // Lets go of the folder, as a start does that follows.
    b.keeper.state = State::Useless(String::new());
    for _ in 0..2 {
        let (tell, told) = unbounded();
        let (link, _sent) = unbounded();
        drop(Keeper::open(&b.home, tell, link, || 0).unwrap());
        let Ok(Msg::Card(CardEvent::Loaded(stored))) = told.try_recv() else {
            panic!("it opens")
        };
        let names: Vec<_> = stored.local.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["whole.txt"]);
        // A file of that name that the person brings along later is not the app's to delete.
        std::fs::remove_file(b.home.join("files/half.txt")).unwrap_err();
    }
    std::fs::write(b.home.join("files/half.txt"), b"mine").unwrap();
    let (tell, _told) = unbounded();
    let (link, _sent) = unbounded();
    drop(Keeper::open(&b.home, tell, link, || 0).unwrap());
    assert!(b.home.join("files/half.txt").exists());
}
