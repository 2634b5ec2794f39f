//! Programs of a peer: whatever decodes and is verified keeps to what the verifier promises.

use shared_proto::limits::{MAX_CONSTS, MAX_OPS, MAX_PATH_LEN, MAX_SIDE, MAX_URL_LEN};
use shared_proto::program::{Cost, Op, Source, ValueType, decode, verify};

/// The octets are a program.
pub fn drive(bytes: &[u8]) {
    let Ok(program) = decode(bytes) else {
        // The words for a refusal are made of numbers and names of ours.
        let error = decode(bytes).expect_err("it does not change its mind");
        assert!(!error.to_string().contains('\u{1b}'));
        return;
    };
    assert!(program.consts.len() <= MAX_CONSTS && program.steps.len() <= MAX_OPS);
    let steps = program.steps.clone();
    let verified = match verify(program.clone()) {
        Ok(verified) => verified,
        Err(error) => {
            assert_eq!(verify(program), Err(error));
            assert!(error.op.is_none_or(|op| usize::from(op) < steps.len()));
            return;
        }
    };
    assert_eq!(verified.steps(), &steps[..]);
    assert_eq!(verified.types().len(), steps.len());
    let emitted = (0..MAX_OPS as u8)
        .filter(|op| verified.is_emitted(*op))
        .count();
    assert!(emitted > 0, "a program that nobody hears of");
    let mut sum = Cost::default();
    let mut last = None;
    for effect in verified.effects() {
        assert!(last < Some(effect.op), "effects stand in order, once each");
        last = Some(effect.op);
        let step = &steps[usize::from(effect.op)];
        assert_eq!(step.op.opcode().operation(), Some(effect.operation));
        assert!(effect.target.len() <= MAX_URL_LEN.max(MAX_PATH_LEN));
        assert!(effect.size.0 <= MAX_SIDE && effect.size.1 <= MAX_SIDE);
        assert!(effect.cost.seconds > 0, "nothing runs for ever");
        sum = sum.plus(effect.cost);
    }
    assert_eq!(sum, verified.cost(), "the whole costs what its parts cost");
    for (index, step) in steps.iter().enumerate() {
        if let Some(guard) = step.guard {
            assert!(usize::from(guard) < index && verified.is_handled(guard));
        }
        if let Op::Emit(value) = &step.op {
            let Source::Result(from) = value.source() else {
                panic!("a constant is emitted");
            };
            assert!(usize::from(from) < index, "what is emitted is there");
        }
        // Everything that touches the laptop is an effect.
        let named = verified
            .effects()
            .iter()
            .any(|effect| usize::from(effect.op) == index);
        assert_eq!(named, step.op.opcode().operation().is_some());
        let _: ValueType = verified.types()[index];
    }
}
