//! Project Wycheproof's vectors for both halves, and those of RFC 7748.

use serde_json::Value;

use super::*;

fn tests(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    file["tests"].as_array().unwrap().clone()
}

fn octets(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn field(test: &Value, name: &str) -> Vec<u8> {
    octets(test[name].as_str().unwrap())
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    RingCrypto.sha256(&[bytes]).to_vec()
}

#[test]
fn the_client_derives_and_decapsulates_as_wycheproof_says() {
    let (mut agreed, mut refused) = (0, 0);
    for test in tests(include_str!("../../../tests/wycheproof/mlkem_768.json")) {
        let seed = Seed::try_from(&field(&test, "seed")[..]).unwrap();
        let client = Started::new(CLASSICAL.start().unwrap(), &seed);
        let key = &client.pub_key()[..ENCAPSULATION_KEY_LEN];
        assert_eq!(sha256(key), field(&test, "ek_sha256"), "{test}");

        // Any other X25519 half, so that the lattice one alone decides.
        let other = CLASSICAL.start().unwrap();
        let share = [&field(&test, "c")[..], other.pub_key()].concat();
        match Box::new(client).complete(&share) {
            Ok(secret) => {
                assert_eq!(secret.secret_bytes()[..32], field(&test, "k"), "{test}");
                assert_eq!(test["valid"], true, "{test}");
                agreed += 1;
            }
            Err(_) => {
                assert_eq!(test["valid"], false, "{test}");
                refused += 1;
            }
        }
    }
    assert_eq!((agreed, refused), (65, 20));
}

#[test]
fn the_server_encapsulates_as_wycheproof_says_and_refuses_what_is_no_key() {
    let (mut agreed, mut refused) = (0, 0);
    for test in tests(include_str!(
        "../../../tests/wycheproof/mlkem_768_encaps.json"
    )) {
        let coins = B32::try_from(&field(&test, "m")[..]).unwrap();
        let other = CLASSICAL.start().unwrap();
        let share = [&field(&test, "ek")[..], other.pub_key()].concat();
        match answer(&share, &coins) {
            Ok(done) => {
                let ciphertext = &done.pub_key[..CIPHERTEXT_LEN];
                assert_eq!(sha256(ciphertext), field(&test, "c_sha256"), "{test}");
                assert_eq!(
                    done.secret.secret_bytes()[..32],
                    field(&test, "k"),
                    "{test}"
                );
                agreed += 1;
            }
            Err(_) => {
                assert_eq!(test["valid"], false, "{test}");
                refused += 1;
            }
        }
    }
    assert_eq!((agreed, refused), (45, 44));
}

/// The X25519 half makes its private keys itself, so that a point can be given to it, and no scalar.
#[test]
fn points_of_low_order_are_refused_by_both_sides_and_no_others() {
    let (mut taken, mut refused) = (0, 0);
    let key = X25519MlKem768.start().unwrap().pub_key()[..ENCAPSULATION_KEY_LEN].to_vec();
    for test in tests(include_str!("../../../tests/wycheproof/x25519.json")) {
        let point = field(&test, "public");
        let low_order = test["zero"] == true;
        let share = [&key[..], &point].concat();
        assert_eq!(
            X25519MlKem768.start_and_complete(&share).is_err(),
            low_order,
            "{test}"
        );
        let share = [&[7; CIPHERTEXT_LEN][..], &point].concat();
        let client = X25519MlKem768.start().unwrap();
        assert_eq!(client.complete(&share).is_err(), low_order, "{test}");
        *(if low_order { &mut refused } else { &mut taken }) += 1;
    }
    assert_eq!((taken, refused), (487, 31));
}

/// What X25519 of ring gives for this scalar and point; `None` where it refuses.
#[expect(deprecated, reason = "the only way to hand ring a scalar")]
fn x25519(private: &[u8], public: &[u8]) -> Option<Vec<u8>> {
    use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
    let scalar = ring::test::rand::FixedSliceRandom { bytes: private };
    let private = EphemeralPrivateKey::generate(&X25519, &scalar).unwrap();
    agree_ephemeral(
        private,
        &UnparsedPublicKey::new(&X25519, public),
        <[u8]>::to_vec,
    )
    .ok()
}

/// The primitive below the wrapper, since the wrapper takes no scalar.
#[test]
fn x25519_gives_the_secrets_of_wycheproof_and_of_rfc_7748() {
    let mut checked = 0;
    for test in tests(include_str!("../../../tests/wycheproof/x25519.json")) {
        let shared = x25519(&field(&test, "private"), &field(&test, "public"));
        let expected = (test["zero"] == false).then(|| field(&test, "shared"));
        assert_eq!(shared, expected, "{test}");
        checked += 1;
    }
    assert_eq!(checked, 518);
    // RFC 7748, section 5.2, both vectors, and section 6.1.
    for [private, public, shared] in [
        [
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ],
        [
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ],
        [
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
        ],
        [
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
        ],
    ] {
        let agreed = x25519(&octets(private), &octets(public));
        assert_eq!(agreed, Some(octets(shared)));
    }
}
