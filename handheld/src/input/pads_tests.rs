//! Names, firmware and capabilities to roles; the codes of each row to printed buttons.

use super::code::{Axis, Capabilities, Raw};
use super::firmware::Firmware;
use super::keymap::{
    DUALSENSE, GENERIC_PAD, H700_DIRECT, H700_MAINLINE, H700_VENDOR, KEYS, Keymap, RG_ARC,
    RK3566_MAINLINE, RK3566_VENDOR,
};
use super::pads::{Role, role};
use super::{Button, Contact, Translator};

fn keys(keys: &[u16]) -> Capabilities {
    Capabilities {
        keys: keys.to_vec(),
        ..Capabilities::default()
    }
}

fn axis(code: u16, min: i32, max: i32) -> Axis {
    Axis {
        code,
        min,
        max,
        now: 0,
    }
}

/// `/proc/bus/input/devices` of an RG34XX SP: keys 1, 114, 115, 304 to 312, 314, 315, 354; axes 3, 4, 5, 16, 17.
fn anbernic_keys() -> Capabilities {
    Capabilities {
        keys: [1, 114, 115]
            .into_iter()
            .chain(304..=312)
            .chain([314, 315, 354])
            .collect(),
        axes: vec![
            axis(3, 0, 0),
            axis(4, 0, 0),
            axis(5, 0, 0),
            axis(16, -1, 1),
            axis(17, -1, 1),
        ],
        ..Capabilities::default()
    }
}

fn found(name: &str, capabilities: &Capabilities, firmware: Firmware) -> Option<Role> {
    role(name, capabilities, firmware)
}

fn translate(keymap: &'static Keymap, raws: &[Raw]) -> Vec<(Button, bool)> {
    let mut translator = Translator::new(keymap, &Capabilities::default(), Vec::new());
    let mut seen = Vec::new();
    for &raw in raws {
        seen.extend(
            translator
                .feed(raw)
                .filter_map(|touch| Some((touch.button?, touch.pressed))),
        );
    }
    seen
}

fn pressed(keymap: &'static Keymap, code: u16) -> Option<Button> {
    translate(keymap, &[Raw::Key(code, true)])
        .first()
        .map(|row| row.0)
}

#[test]
fn a_name_and_the_firmware_decide_before_capabilities_do() {
    use Firmware::{ArkOs, Batocera, Knulli, MuOs, Other, Own, Rocknix, Stock};
    let mainline_like = keys(&[304, 305, 315, 544]);
    for (name, firmware, keymap) in [
        ("ANBERNIC-keys", Stock, &H700_VENDOR),
        ("muOS-Keys", MuOs, &H700_VENDOR),
        ("Deeplay-keys", MuOs, &H700_VENDOR),
        ("Anbernic RG35XX-H Controller", Knulli, &H700_VENDOR),
        ("Anbernic RG35XX-H Controller", Other, &H700_VENDOR),
        ("Anbernic RG35XX-H Controller", Batocera, &H700_MAINLINE),
        ("dierct-keys-polled", Stock, &H700_DIRECT),
        ("gpio-keys-gamepad", Own, &H700_MAINLINE),
        ("H700 Gamepad", Rocknix, &H700_MAINLINE),
        ("gpio-keys-control", Own, &RK3566_MAINLINE),
        ("adc-keys", Own, &RK3566_MAINLINE),
        ("adc-joystick", Own, &RK3566_MAINLINE),
        ("retrogame_joypad", ArkOs, &RK3566_VENDOR),
        ("retrogame_joypad", Rocknix, &RK3566_MAINLINE),
        (
            "Sony Interactive Entertainment DualSense Wireless Controller",
            Rocknix,
            &DUALSENSE,
        ),
        ("Xbox Wireless Controller", Other, &GENERIC_PAD),
    ] {
        let role = found(name, &mainline_like, firmware).unwrap();
        assert_eq!(role.keymap.name, keymap.name, "{name} on {firmware:?}");
        assert!(role.explained);
    }
    let arc = keys(&[304, 305, 306, 307, 308, 309, 310, 311, 314, 315, 544]);
    assert_eq!(
        found("gpio-keys-control", &arc, Other).unwrap().keymap.name,
        RG_ARC.name
    );
    assert_eq!(
        found("retrogame_joypad", &arc, Rocknix)
            .unwrap()
            .keymap
            .name,
        RG_ARC.name
    );
    assert_eq!(
        found("retrogame_joypad", &arc, ArkOs).unwrap().keymap.name,
        RK3566_VENDOR.name
    );
}

#[test]
fn devices_without_our_buttons_are_left_alone() {
    for (name, capabilities) in [
        ("gpio-keys-volume", keys(&[114, 115])),
        ("adc keys", keys(&[114, 115])),
        (
            "touchscreen",
            Capabilities {
                axes: vec![axis(0, 0, 640), axis(1, 0, 480)],
                ..keys(&[330])
            },
        ),
        (
            "mouse",
            Capabilities {
                pointer: true,
                ..keys(&[272, 273])
            },
        ),
        (
            "DualSense Wireless Controller Motion Sensors",
            Capabilities {
                axes: vec![axis(0, -9, 9), axis(1, -9, 9)],
                ..keys(&[])
            },
        ),
        ("DualSense Wireless Controller Touchpad", keys(&[272, 330])),
        ("HDMI CEC remote", keys(&[103, 28, 1])),
    ] {
        assert_eq!(found(name, &capabilities, Firmware::Other), None, "{name}");
    }
}

#[test]
fn power_keys_and_lids_are_switches_and_only_the_vendors_tells_of_its_lid_by_keys() {
    let vendor = found("axp2202-pek", &keys(&[110, 111, 116]), Firmware::Stock).unwrap();
    assert!(!vendor.is_pad() && vendor.lid_keys && vendor.explained && !vendor.grab);
    let mainline = found("axp20x-pek", &keys(&[116]), Firmware::Own).unwrap();
    assert!(!mainline.is_pad() && !mainline.lid_keys && !mainline.grab);
    let lid = Capabilities {
        lid: true,
        ..keys(&[])
    };
    assert!(
        !found("gpio-keys-lid", &lid, Firmware::Own)
            .unwrap()
            .is_pad()
    );
}

#[test]
fn a_keyboard_is_one_and_four_arrows_alone_are_a_pad_to_be_asked() {
    let keyboard = keys(&[103, 108, 105, 106, 28, 44, 45]);
    assert_eq!(
        found("USB Keyboard", &keyboard, Firmware::Other)
            .unwrap()
            .keymap
            .name,
        KEYS.name
    );
    for capabilities in [
        keys(&[103, 108, 105, 106, 29, 56, 57, 28]),
        keys(&[288, 289, 290, 291]),
        keys(&[304, 305]),
        Capabilities {
            axes: vec![axis(16, -1, 1)],
            ..keys(&[])
        },
    ] {
        let role = found("some board", &capabilities, Firmware::Other).unwrap();
        assert!(!role.explained && role.is_pad(), "{capabilities:?}");
    }
}

#[test]
fn only_our_own_image_keeps_pads_to_itself_and_never_what_has_volume_or_power() {
    let pad = keys(&[304, 305, 315, 544]);
    assert!(
        found("gpio-keys-gamepad", &pad, Firmware::Own)
            .unwrap()
            .grab
    );
    for firmware in [
        Firmware::Stock,
        Firmware::MuOs,
        Firmware::Knulli,
        Firmware::Rocknix,
        Firmware::ArkOs,
        Firmware::Other,
    ] {
        assert!(
            !found("gpio-keys-gamepad", &pad, firmware).unwrap().grab,
            "{firmware:?}"
        );
    }
    for shared in [113, 114, 115, 116, 142, 224, 225] {
        let with = Capabilities {
            keys: [&pad.keys[..], &[shared]].concat(),
            ..Capabilities::default()
        };
        assert!(
            !found("gpio-keys-gamepad", &with, Firmware::Own)
                .unwrap()
                .grab,
            "{shared}"
        );
    }
    assert!(
        !found("ANBERNIC-keys", &anbernic_keys(), Firmware::Own)
            .unwrap()
            .grab
    );
    let lid = Capabilities { lid: true, ..pad };
    assert!(
        !found("gpio-keys-gamepad", &lid, Firmware::Own)
            .unwrap()
            .grab
    );
}

#[test]
fn printed_letters_come_out_under_each_convention() {
    // (code of A, B, X, Y) per table; handheld firmware disagrees exactly here.
    for (keymap, codes) in [
        (&H700_VENDOR, [304, 305, 307, 306]),
        (&H700_MAINLINE, [305, 304, 307, 308]),
        (&RK3566_MAINLINE, [305, 304, 307, 308]),
        (&DUALSENSE, [305, 304, 307, 308]),
        (&RK3566_VENDOR, [304, 305, 307, 308]),
        (&RG_ARC, [304, 305, 307, 308]),
        (&GENERIC_PAD, [304, 305, 307, 308]),
    ] {
        let printed = codes.map(|code| pressed(keymap, code).unwrap());
        assert_eq!(
            printed,
            [Button::A, Button::B, Button::X, Button::Y],
            "{}",
            keymap.name
        );
    }
    // The six of the RG ARC.
    assert_eq!(
        [306, 309].map(|code| pressed(&RG_ARC, code).unwrap()),
        [Button::R1, Button::L1]
    );
}

#[test]
fn shoulders_start_and_menu_differ_between_vendor_and_mainline() {
    let row = |keymap, codes: [u16; 7]| codes.map(|code| pressed(keymap, code).unwrap());
    let expected = [
        Button::L1,
        Button::R1,
        Button::L2,
        Button::R2,
        Button::Select,
        Button::Start,
        Button::Menu,
    ];
    assert_eq!(
        row(&H700_VENDOR, [308, 309, 314, 315, 310, 311, 312]),
        expected
    );
    assert_eq!(
        row(&H700_MAINLINE, [310, 311, 312, 313, 314, 315, 316]),
        expected
    );
}

#[test]
fn the_synthetic_pulse_volume_and_the_vendors_remnants_are_ignored() {
    assert_eq!(
        translate(&H700_VENDOR, &[Raw::Key(354, true), Raw::Key(354, false)]),
        []
    );
    assert_eq!(
        translate(&H700_VENDOR, &[Raw::Key(114, true), Raw::Key(1, true)]),
        []
    );
    assert_eq!(
        translate(&H700_DIRECT, &[Raw::Key(30, true), Raw::Key(115, true)]),
        []
    );
    assert_eq!(pressed(&H700_DIRECT, 103), Some(Button::Up));
}

#[test]
fn a_hat_closes_and_opens_the_pad() {
    let raws = [
        Raw::Axis(16, -1),
        Raw::Axis(16, 1),
        Raw::Axis(16, 0),
        Raw::Axis(17, -1),
        Raw::Axis(17, 0),
    ];
    assert_eq!(
        translate(&H700_VENDOR, &raws),
        [
            (Button::Left, true),
            (Button::Left, false),
            (Button::Right, true),
            (Button::Right, false),
            (Button::Up, true),
            (Button::Up, false)
        ]
    );
}

#[test]
fn a_stick_doubles_the_pad_without_flutter() {
    let capabilities = Capabilities {
        axes: vec![axis(2, -4096, 4096)],
        ..Capabilities::default()
    };
    let mut translator = Translator::new(&H700_VENDOR, &capabilities, Vec::new());
    let mut feed = |value| {
        translator
            .feed(Raw::Axis(2, value))
            .map(|t| (t.button.unwrap(), t.pressed))
            .collect::<Vec<_>>()
    };
    assert_eq!(feed(2000), []);
    assert_eq!(feed(2100), [(Button::Right, true)]);
    assert_eq!(feed(1500), []);
    assert_eq!(feed(1300), [(Button::Right, false)]);
    assert_eq!(feed(i32::MIN), [(Button::Left, true)]);
}

#[test]
fn an_analogue_trigger_is_a_button() {
    let capabilities = Capabilities {
        axes: vec![axis(2, 0, 255)],
        ..Capabilities::default()
    };
    let mut translator = Translator::new(&GENERIC_PAD, &capabilities, Vec::new());
    let mut feed = |value| {
        translator
            .feed(Raw::Axis(2, value))
            .map(|t| (t.button.unwrap(), t.pressed))
            .collect::<Vec<_>>()
    };
    assert_eq!(feed(100), []);
    assert_eq!(feed(200), [(Button::L2, true)]);
    assert_eq!(feed(100), []);
    assert_eq!(feed(0), [(Button::L2, false)]);
}

#[test]
fn what_was_taught_outranks_the_table() {
    let taught = vec![
        (Contact::Key(304), Button::B),
        (Contact::Key(700), Button::A),
        (Contact::High(16), Button::X),
    ];
    let mut translator = Translator::new(&GENERIC_PAD, &Capabilities::default(), taught);
    let mut first = |raw| translator.feed(raw).next().and_then(|touch| touch.button);
    assert_eq!(first(Raw::Key(304, true)), Some(Button::B));
    assert_eq!(first(Raw::Key(700, true)), Some(Button::A));
    assert_eq!(first(Raw::Key(307, true)), Some(Button::X));
    assert_eq!(first(Raw::Axis(16, 1)), Some(Button::X));
    translator.teach(Vec::new());
    assert_eq!(translator.button(Contact::Key(304)), Some(Button::A));
}

#[test]
fn a_plugged_in_keyboard_speaks_the_desktop_table() {
    assert_eq!(pressed(&KEYS, 44), Some(Button::B));
    assert_eq!(pressed(&H700_VENDOR, 44), None);
}
