//! Programs through builder, decoder and verifier.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use shared_proto::embedding::encode_texts;
use shared_proto::error::ErrorCode;
use shared_proto::limits::{MAX_DIMENSIONS, MAX_EMBED_TEXTS, MAX_TEXT_LEN};
use shared_proto::opcode::{Opcode, Operation};
use shared_proto::program::{
    Blob, Builder, Chat, Complete, Const, Embed, Fit, Generate, Get, List, Op, ProgramError,
    ProgramFault, Put, Ref, ValueType, Write, decode, verify,
};

fn chat(builder: &mut Builder, text: &str) -> Ref {
    let model = builder.name("ollama/llama3.1:8b");
    let input = builder.text(text);
    builder.op(&Op::Chat(Chat {
        model,
        conversation: 7,
        parent: [0; 8],
        history: None,
        system: None,
        input,
        max_tokens: 512,
        temperature: None,
    }))
}

fn paint(builder: &mut Builder, prompt: Ref) -> Ref {
    let model = builder.name("");
    builder.op(&Op::Generate(Generate {
        model,
        prompt,
        negative: None,
        style: model,
        width: 640,
        height: 480,
        steps: 20,
        seed: None,
    }))
}

fn check(bytes: &[u8]) -> Result<(), ProgramError> {
    verify(decode(bytes)?).map(|_| ())
}

#[test]
fn a_chat_has_these_bytes() {
    let mut builder = Builder::new();
    let answer = chat(&mut builder, "Hi");
    builder.emit(answer);
    let bytes = builder.finish().unwrap();
    let expected = [
        &[1, 2][..],                                          // version, two constants
        &[0, 18],                                             // text of 18 octets
        b"ollama/llama3.1:8b",                                //
        &[0, 2, b'H', b'i'],                                  // text of 2 octets
        &[2],                                                 // two operations
        &[0x10, 0, 16], // chat, no guard, 16 octets of operands
        &[0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x80, 4, 0], // model, conversation, parent, -, -, input, 512, -
        &[0x04, 0, 1, 0x40],                                  // emit the first result
    ]
    .concat();
    assert_eq!(bytes, expected);
}

#[test]
fn a_typical_chat_weighs_less_than_500_octets_with_its_signature() {
    let mut builder = Builder::new();
    let answer = chat(
        &mut builder,
        &"A sentence that a person would type with buttons. ".repeat(6),
    );
    builder.emit(answer);
    assert!(builder.finish().unwrap().len() + 64 + 8 < 500);
}

#[test]
fn a_chain_says_everything_it_would_do() {
    let mut builder = Builder::new();
    let scene = chat(&mut builder, "Describe a harbour at dusk.");
    let picture = paint(&mut builder, scene);
    let fitted = builder.op(&Op::Fit(Fit {
        image: picture,
        width: 640,
        height: 480,
        formats: 7,
    }));
    builder.emit(scene);
    builder.emit(fitted);
    let bytes = builder.finish().unwrap();
    let verified = verify(decode(&bytes).unwrap()).unwrap();
    let operations: Vec<_> = verified
        .effects()
        .iter()
        .map(|effect| effect.operation)
        .collect();
    assert_eq!(
        operations,
        [Operation::Chat, Operation::Generate, Operation::Fit]
    );
    assert_eq!(verified.effects()[0].model, "ollama/llama3.1:8b");
    assert_eq!(verified.effects()[1].size, (640, 480));
    assert_eq!(verified.cost().tokens, 512);
    assert_eq!(verified.cost().pictures, 1);
    assert_eq!(verified.cost().pixel_steps, 640 * 480 * 20);
    assert!(verified.is_emitted(0) && !verified.is_emitted(1) && verified.is_emitted(2));
    assert_eq!(verified.types()[2], ValueType::Image);
}

#[test]
fn a_guard_makes_a_failure_handled() {
    let mut builder = Builder::new();
    let first = chat(&mut builder, "a");
    let model = builder.name("built-in/partner");
    let input = builder.text("a");
    let second = builder.op_if_failed(
        first,
        &Op::Complete(Complete {
            model,
            input,
            max_tokens: 9,
            temperature: None,
        }),
    );
    builder.emit(first);
    builder.emit(second);
    let bytes = builder.finish().unwrap();
    let verified = verify(decode(&bytes).unwrap()).unwrap();
    assert!(verified.is_handled(0) && !verified.is_handled(1));
    assert_eq!(verified.steps()[1].guard, Some(0));
}

#[test]
fn every_fault_names_its_operation() {
    let fault = |build: &dyn Fn(&mut Builder)| {
        let mut builder = Builder::new();
        build(&mut builder);
        check(&builder.finish().unwrap()).unwrap_err()
    };
    let error = fault(&|b| {
        chat(b, "no emit");
    });
    assert_eq!((error.op, error.code()), (None, ErrorCode::BadEmit));
    let error = fault(&|b| {
        let answer = chat(b, "twice");
        b.emit(answer);
        b.emit(answer);
    });
    assert_eq!((error.op, error.code()), (Some(2), ErrorCode::BadEmit));
    let error = fault(&|b| {
        paint(b, Ref::result(3));
    });
    assert_eq!((error.op, error.code()), (Some(0), ErrorCode::BadReference));
    let error = fault(&|b| {
        let number = b.int(4);
        paint(b, number);
    });
    assert_eq!((error.op, error.code()), (Some(0), ErrorCode::TypeMismatch));
    let error = fault(&|b| {
        let model = b.name("");
        let input = b.text("");
        b.op(&Op::Code(Complete {
            model,
            input,
            max_tokens: 0,
            temperature: None,
        }));
    });
    assert_eq!(
        (error.op, error.code()),
        (Some(0), ErrorCode::LimitExceeded)
    );
    let error = fault(&|b| {
        let path = b.name("");
        b.op(&Op::Get(Get { path, max_len: 1 }));
    });
    assert_eq!(
        (error.op, error.code()),
        (Some(0), ErrorCode::LimitExceeded)
    );
}

fn embed(input: &dyn Fn(&mut Builder) -> Ref, count: u16, dimensions: Option<u16>) -> Vec<u8> {
    let mut builder = Builder::new();
    let (model, input) = (builder.name("ollama/nomic-embed-text"), input(&mut builder));
    let vectors = builder.op(&Op::Embed(Embed {
        model,
        input,
        count,
        dimensions,
    }));
    builder.emit(vectors);
    builder.finish().unwrap()
}

#[test]
fn an_embed_costs_what_it_reads_and_yields_so_many_vectors() {
    let list = encode_texts(["one text", "and another"]);
    let bytes = embed(&|b| b.bytes(&list), 2, Some(256));
    let verified = verify(decode(&bytes).unwrap()).unwrap();
    let [effect] = verified.effects() else {
        panic!("one effect");
    };
    assert_eq!(
        (effect.operation, effect.model),
        (Operation::Embed, "ollama/nomic-embed-text")
    );
    assert_eq!((effect.cost.tokens, effect.cost.seconds), (21, 120));
    assert_eq!(verified.types()[0], ValueType::Bytes);
    let one = embed(&|b| b.text("one text"), 1, None);
    assert_eq!(verify(decode(&one).unwrap()).unwrap().cost().tokens, 8);
}

#[test]
fn an_embed_without_a_model_or_beyond_its_limits_is_refused() {
    let list = |b: &mut Builder| b.bytes(&encode_texts(["a"]));
    let text = |b: &mut Builder| b.text("a");
    let long = |len| {
        move |b: &mut Builder| {
            b.blob(Blob {
                sha256: [1; 32],
                len,
                ty: ValueType::Bytes,
            })
        }
    };
    for (bytes, fits) in [
        (embed(&list, MAX_EMBED_TEXTS, Some(MAX_DIMENSIONS)), true),
        (embed(&list, MAX_EMBED_TEXTS + 1, None), false),
        (embed(&list, 0, None), false),
        (embed(&text, 2, None), false),
        (embed(&list, 1, Some(0)), false),
        (embed(&list, 1, Some(MAX_DIMENSIONS + 1)), false),
        (embed(&long(MAX_TEXT_LEN), 1, None), true),
        (embed(&long(MAX_TEXT_LEN + 1), 1, None), false),
    ] {
        let code = check(&bytes).map_err(|error| (error.op, error.code()));
        let limit = Err((Some(0), ErrorCode::LimitExceeded));
        assert_eq!(code, if fits { Ok(()) } else { limit });
    }
    let mut builder = Builder::new();
    let (model, input) = (builder.name(""), builder.text("a"));
    builder.op(&Op::Embed(Embed {
        model,
        input,
        count: 1,
        dimensions: None,
    }));
    let error = check(&builder.finish().unwrap()).unwrap_err();
    assert_eq!(error.fault, ProgramFault::Limit("the name of a model"));
    let error = check(&embed(&|b| b.int(4), 1, None)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TypeMismatch);
}

#[test]
fn an_emit_yields_nothing_to_refer_to() {
    let mut builder = Builder::new();
    let answer = chat(&mut builder, "a");
    let emit = builder.op(&Op::Emit(answer));
    paint(&mut builder, emit);
    let error = check(&builder.finish().unwrap()).unwrap_err();
    assert_eq!((error.op, error.code()), (Some(2), ErrorCode::BadReference));
}

#[test]
fn an_operand_that_policy_cares_about_cannot_be_computed() {
    // files.get whose path names a result: the encoding has a place for constants only, so 0x40 is out of range.
    let mut bytes = vec![1, 1, 0, 1, b'x', 2, 0x00, 0, 1, 0];
    bytes.extend_from_slice(&[0x32, 0, 2, 0x40, 1]);
    let error = check(&bytes).unwrap_err();
    assert_eq!(
        error,
        ProgramError {
            op: Some(1),
            fault: ProgramFault::BadReference(0x40)
        }
    );
}

#[test]
fn unknown_and_unsupported_operations_are_refused_by_number_and_name() {
    let error = check(&[1, 0, 1, 0x77, 0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "operation 0: opcode 0x77 is unknown");
    assert_eq!(error.code(), ErrorCode::UnknownOpcode);
    for opcode in [
        Opcode::JobRun,
        Opcode::JobStatus,
        Opcode::JobResult,
        Opcode::JobCancel,
    ] {
        let error = check(&[1, 0, 1, opcode as u8, 0, 0]).unwrap_err();
        assert!(error.to_string().contains(opcode.name()), "{error}");
        assert_eq!(error.code(), ErrorCode::Unsupported);
    }
}

#[test]
fn a_number_above_its_cap_is_refused_before_anything_is_read_for_it() {
    for bytes in [&[1u8, 65][..], &[1, 0, 33], &[1, 1, 0, 0xff, 0xff, 0x7f]] {
        assert_eq!(check(bytes).unwrap_err().code(), ErrorCode::Malformed);
    }
    assert_eq!(check(&[9]).unwrap_err().code(), ErrorCode::Unsupported);
}

fn any_program() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(("[a-z ]{0,20}", 0u8..6, any::<u16>()), 1..10)).prop_map(|steps| {
        let mut builder = Builder::new();
        let mut emitted = Vec::new();
        for (text, kind, number) in steps {
            let constant = builder.text(&text);
            let path = builder.name("notes.txt");
            let result = match kind {
                0 => builder.op(&Op::Text(constant)),
                1 => chat(&mut builder, &text),
                2 => paint(&mut builder, constant),
                3 => builder.op(&Op::List(List {
                    path,
                    skip: 0,
                    limit: number % 256 + 1,
                })),
                4 => builder.op(&Op::Put(Put {
                    path,
                    data: constant,
                    write: Write::New,
                })),
                _ => builder.op(&Op::Status),
            };
            emitted.push(result);
        }
        emitted.into_iter().for_each(|result| builder.emit(result));
        builder.finish().unwrap()
    })
}

proptest! {
    #[test]
    fn built_programs_verify(bytes in any_program()) {
        prop_assert_eq!(check(&bytes), Ok(()));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(&bytes);
    }

    #[test]
    fn a_changed_octet_is_refused_or_still_a_program(bytes in any_program(), at: prop::sample::Index, to: u8) {
        let mut bytes = bytes;
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(program) = decode(&bytes) {
            for constant in &program.consts {
                if let Const::Text(text) = constant {
                    prop_assert!(text.len() <= bytes.len());
                }
            }
            if let Ok(verified) = verify(program) {
                for effect in verified.effects() {
                    prop_assert_eq!(verified.steps()[usize::from(effect.op)].op.opcode().operation(), Some(effect.operation));
                }
            }
        }
    }

    #[test]
    fn a_truncated_program_is_refused(bytes in any_program(), at: prop::sample::Index) {
        let at = at.index(bytes.len());
        prop_assert!(check(&bytes[..at]).is_err());
    }
}
