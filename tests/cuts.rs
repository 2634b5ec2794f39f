//! A link that breaks at random points: every result arrives whole and identical, and every provider is asked once.

mod bare;
mod support;

use bare::Card;
use bare::pocket::{End, Line, Told};
use ring::digest::{SHA256, digest};
use shared_proto::message::UPLOAD_SLOT;
use shared_proto::program::{Blob, Builder, Complete, Generate, Get, Op, Put, ValueType, Write};
use std::sync::mpsc::channel;
use std::time::Duration;
use support::cutter::Cutter;
use support::laptop::Laptop;
use support::pocket::Pocket;
use support::provider::{Answer, Provider};
use support::{Folder, Random, eventually};

/// What the provider says to a prompt: some hundreds of words that depend on it.
fn story(prompt: &str) -> Answer {
    let pieces = (0..300)
        .map(|number| format!("{prompt}-{number} "))
        .collect();
    Answer {
        pieces,
        pause: Duration::from_millis(1),
        die_after: None,
    }
}

fn told(prompt: &str) -> String {
    story(prompt).pieces.concat()
}

fn ask(prompt: &str) -> Vec<u8> {
    let mut b = Builder::new();
    let (model, input) = (b.name("desk/parrot"), b.text(prompt));
    let answer = b.op(&Op::Complete(Complete {
        model,
        input,
        max_tokens: 1000,
        temperature: None,
    }));
    b.emit(answer);
    b.finish().expect("a program")
}

fn paint(prompt: &str) -> Vec<u8> {
    let mut b = Builder::new();
    let (model, prompt, style) = (b.name("easel/noise"), b.text(prompt), b.name(""));
    let picture = b.op(&Op::Generate(Generate {
        model,
        prompt,
        negative: None,
        style,
        width: 640,
        height: 480,
        steps: 4,
        seed: Some(1),
    }));
    b.emit(picture);
    b.finish().expect("a program")
}

fn send(path: &str, data: &[u8]) -> Vec<u8> {
    let mut b = Builder::new();
    let path = b.name(path);
    let sha256 = digest(&SHA256, data)
        .as_ref()
        .try_into()
        .expect("32 octets");
    let data = b.blob(Blob {
        sha256,
        len: data.len() as u64,
        ty: ValueType::Bytes,
    });
    let put = b.op(&Op::Put(Put {
        path,
        data,
        write: Write::New,
    }));
    b.emit(put);
    b.finish().expect("a program")
}

fn fetch(path: &str) -> Vec<u8> {
    let mut b = Builder::new();
    let path = b.name(path);
    let get = b.op(&Op::Get(Get {
        path,
        max_len: 1 << 24,
    }));
    b.emit(get);
    b.finish().expect("a program")
}

/// Submits a program and goes on after every cut, until it ends.
fn through_cuts(
    card: &Card,
    link: &Cutter,
    random: &mut Random,
    cuts: usize,
    id: u64,
    program: &[u8],
    upload: Option<&[u8]>,
) -> Told {
    let mut so_far: Option<Told> = None;
    let until = link.cuts() + cuts;
    loop {
        if link.cuts() < until {
            // A handshake takes about 1,500 octets towards the handheld: some cuts fall into it.
            link.cut_after(random.below(9_000));
        }
        let attempt = card.link(link.address()).and_then(|mut line: Line| {
            if let Some(data) = upload {
                line.uploads.insert((id, UPLOAD_SLOT + 1), data.to_vec());
            }
            match so_far.take() {
                Some(told) if told.accepted => line.resume(id, told),
                _ => line.submit(id, program),
            }
            let ended = line.until("an end", |line| {
                line.told.get(&id).is_some_and(|told| told.end.is_some())
            });
            so_far = line.told.remove(&id);
            ended
        });
        if attempt.is_ok() {
            return so_far.expect("an end was told");
        }
    }
}

#[test]
fn every_result_arrives_whole_through_a_hundred_cuts_and_every_provider_is_asked_once() {
    let mut random = Random::new();
    let provider = Provider::start(story);
    let services = format!("{}{}", provider.entry(), provider.painter_entry());
    let laptop = Laptop::with("cuts", &services, &[]);
    laptop.ctl().json(&["pair", "--open"]);
    let (sender, digits) = channel();
    let address = laptop.address();
    let pairing = std::thread::spawn(move || Card::pair(address, "pocket", &sender));
    laptop
        .ctl()
        .json(&["pair", "--digits", &digits.recv().expect("digits")]);
    let card = pairing.join().expect("no panic").expect("paired").card;
    laptop
        .ctl()
        .permit("pocket", &["complete", "generate", "put", "get"], "allow");
    laptop.ctl().json(&[
        "limit",
        "pocket",
        "--requests-per-minute",
        "1000",
        "--pictures",
        "100",
    ]);

    let link = Cutter::new(laptop.address());
    let mut prompts = Vec::new();
    let mut id = 0;
    let mut round = 0;
    while link.cuts() < 100 {
        round += 1;
        let mut go = |program: &[u8], upload: Option<&[u8]>| {
            id += 1;
            let told = through_cuts(&card, &link, &mut random, 6, id, program, upload);
            assert!(
                matches!(told.end, Some(End::Done(_))),
                "request {id}: {:?}",
                told.end
            );
            told
        };
        let prompt = format!("word{round}");
        assert_eq!(go(&ask(&prompt), None).text(0), self::told(&prompt));
        prompts.push(prompt);

        let prompt = format!("noise {round}");
        let picture = go(&paint(&prompt), None)
            .bodies
            .remove(&0)
            .expect("a picture");
        prompts.push(prompt);
        // Without cuts, the same request yields the same octets: the laptop keeps them until they are acknowledged.
        let mut line = card.link(laptop.address()).expect("linked");
        line.resume(id, Told::default());
        assert_eq!(line.finish(id).bodies.remove(&0).as_ref(), Some(&picture));
        drop(line);

        let name = format!("file-{round}.bin");
        let data: Vec<u8> = (0..150_000u64)
            .map(|n| (n.wrapping_mul(round + 0x9e37_79b9) >> 7) as u8)
            .collect();
        id += 1;
        let told = through_cuts(
            &card,
            &link,
            &mut random,
            4,
            id,
            &send(&name, &data),
            Some(&data),
        );
        assert_eq!(told.text(0), data.len().to_string());
        id += 1;
        let told = through_cuts(&card, &link, &mut random, 6, id, &fetch(&name), None);
        assert!(told.bodies[&0] == data, "the file came back changed");
    }
    println!("{} cuts, {} requests", link.cuts(), id);
    assert_eq!(provider.prompts(), prompts, "each asked once, in order");
}

#[test]
fn a_handheld_shows_the_whole_answer_through_cuts() {
    let mut random = Random::new();
    let provider = Provider::start(story);
    let laptop = Laptop::with("cut-ui", &provider.entry(), &[]);
    let link = Cutter::new(laptop.address());
    let card = Folder::new("cut-card");
    let mut pocket = Pocket::start(&card.path().join("card"), link.address());
    pocket.pair(&laptop);
    laptop.ctl().permit("Pocket", &["chat"], "allow");
    pocket.wait("may.chat=allow");
    for round in 0..4 {
        pocket.home();
        pocket.press("Start");
        pocket.wait("screen=writing");
        let prompt = format!("round {round}");
        pocket.type_text(&prompt);
        let until = link.cuts() + 4;
        pocket.press("Start");
        pocket.wait("screen=chat");
        eventually("the cuts", || {
            if pocket.fact("answer.state") == "done" || link.cuts() >= until {
                return Some(());
            }
            link.cut_after(random.below(4_000));
            None
        });
        link.cut_after(u64::MAX);
        pocket.wait("answer.state=done");
        let prompt = provider.prompts().last().cloned().expect("a prompt");
        assert_eq!(pocket.fact("answer").trim_end(), told(&prompt).trim_end());
        assert_eq!(provider.prompts().len(), round + 1, "asked once");
    }
    pocket.quit();
}
