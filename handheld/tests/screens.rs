//! Golden pictures of every screen, and what must hold on all of them: nothing overlaps, nothing is cut, nothing is small.
//!
//! `OFFICEOS_BLESS=1 cargo test -p handheld --test screens` writes the pictures anew.

#![allow(clippy::unwrap_used)] // A test that cannot read its files has failed.
mod samples;

use handheld::app::hints;
use handheld::app::model::{Model, Panel, settings};
use handheld::ui::canvas::Align;
use handheld::ui::canvas::png;
use handheld::ui::canvas::write::TextBox;
use handheld::ui::text::Face;
use handheld::ui::widget::hint_bar;
use handheld::ui::{self, Canvas, Color, Rect};
use std::path::{Path, PathBuf};

const PANELS: [(u32, u32); 4] = [(640, 480), (720, 480), (720, 720), (960, 544)];

/// Largest golden file in bytes: there are many of them.
const LARGEST_FILE: u64 = 40_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Draws as the app does: once to measure, once with what was measured.
fn drawn(model: &mut Model, canvas: &mut Canvas) {
    let theme = ui::theme(model);
    model.extent = ui::draw(model, &theme, canvas);
    canvas.record_text();
    ui::draw(model, &theme, canvas);
}

fn panel(width: u32, height: u32) -> (Panel, Canvas) {
    (
        Panel { width, height },
        Canvas::new(width as i32, height as i32),
    )
}

/// Compares with the golden picture; on a difference writes a picture that shows it, and says where.
fn compare(name: &str, canvas: &Canvas) -> Result<(), String> {
    let path = folder().join(format!("{name}.png"));
    if std::env::var_os("OFFICEOS_BLESS").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, canvas.png()).unwrap();
        return Ok(());
    }
    let golden = std::fs::read(&path).map_err(|_| format!("{name}: there is no golden picture"))?;
    let (width, height, golden) = png::decode(&golden).map_err(|e| format!("{name}: {e}"))?;
    let area = canvas.area();
    if (width as i32, height as i32) != (area.w, area.h) {
        return Err(format!("{name}: the golden picture is {width}×{height}"));
    }
    if golden == canvas.pixels() {
        return Ok(());
    }
    let pairs = || golden.iter().zip(canvas.pixels());
    let count = pairs().filter(|(a, b)| a != b).count();
    let difference: Vec<u16> = pairs()
        .map(|(a, b)| if a == b { b >> 2 & 0x39e7 } else { 0xf81f })
        .collect();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(
        out.join(format!("{name}.difference.png")),
        png::encode(width, height, &difference),
    )
    .unwrap();
    std::fs::write(out.join(format!("{name}.now.png")), canvas.png()).unwrap();
    Err(format!(
        "{name}: {count} pixels differ, see {name}.difference.png in {}",
        out.display()
    ))
}

/// Dark on the narrow and the wide panel, light on the others: both palettes in every state. The keyboards, which are
/// looked at longest, have both on every panel.
fn palettes(name: &str, width: u32) -> Vec<(settings::Theme, &'static str)> {
    let mut palettes = vec![
        (settings::Theme::Dark, "dark"),
        (settings::Theme::Light, "light"),
    ];
    if !name.starts_with("writing-") {
        palettes.remove(usize::from(width != 720));
    }
    palettes
}

#[test]
fn every_screen_looks_as_its_golden_picture() {
    let mut wrong = Vec::new();
    for (width, height) in PANELS {
        let (panel, mut canvas) = panel(width, height);
        for (name, mut model) in samples::all(panel) {
            for (theme, word) in palettes(name, width) {
                model.settings.theme = theme;
                drawn(&mut model, &mut canvas);
                wrong.extend(compare(&format!("{name}-{width}x{height}-{word}"), &canvas).err());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_golden_picture_is_left_over_or_large() {
    let mut expected: Vec<String> = Vec::new();
    for (width, height) in PANELS {
        let names = samples::all(Panel { width, height })
            .into_iter()
            .map(|(name, _)| name);
        for name in names {
            let files = palettes(name, width).into_iter();
            expected.extend(files.map(|(_, word)| format!("{name}-{width}x{height}-{word}.png")));
        }
    }
    for file in std::fs::read_dir(folder()).unwrap() {
        let file = file.unwrap();
        let size = file.metadata().unwrap().len();
        let name = file.file_name().into_string().unwrap();
        if std::env::var_os("OFFICEOS_BLESS").is_some() && !expected.contains(&name) {
            std::fs::remove_file(file.path()).unwrap();
            continue;
        }
        assert!(size < LARGEST_FILE, "{name} takes {size} bytes");
        assert!(expected.contains(&name), "{name} belongs to no screen");
    }
}

fn overlap(a: &TextBox, b: &TextBox) -> bool {
    let common = a.area.intersect(&b.area);
    // Kerning and italics may lean over by a pixel.
    common.w > 1 && common.h > 1
}

/// Words of the interface itself, which must fit on every panel.
const FIXED: [&str; 8] = [
    "Style",
    "Text size",
    "Confirm and back",
    "Laptop linked",
    "Laptop away since",
    "Settings",
    "Pictures",
    "Buttons",
];

/// What must hold for the texts of any screen.
fn check_texts(place: &str, model: &Model, canvas: &Canvas) {
    let texts = canvas.recorded();
    let margin = ui::theme(model).m.margin();
    assert!(
        !texts.is_empty() || place.starts_with("viewer-zoomed"),
        "{place} says nothing"
    );
    for (i, text) in texts.iter().enumerate() {
        let said = &text.text;
        for other in &texts[i + 1..] {
            let (a, b) = (text.area, other.area);
            assert!(
                !overlap(text, other),
                "{place}: “{said}” {a:?} overlaps “{}” {b:?}",
                other.text
            );
        }
        let inked = Rect {
            x: text.area.x + 1,
            w: (text.area.w - 2).max(0),
            ..text.area
        };
        assert!(
            text.clip.contains(&inked),
            "{place}: “{said}” {inked:?} is cut by {:?}",
            text.clip
        );
        assert!(text.size >= 20, "{place}: “{said}” is {} px", text.size);
        let inside = text.area.x >= margin - 2 && text.area.right() <= canvas.area().w - margin + 2;
        assert!(
            inside,
            "{place}: “{said}” at {:?} is in the margin",
            text.area
        );
        let start = said.trim_end_matches('…');
        let ours = text.cut && !start.is_empty() && FIXED.iter().any(|f| f.starts_with(start));
        assert!(
            !ours,
            "{place}: “{said}” is one of our own words and was shortened"
        );
    }
}

/// What must hold for the hints of any screen.
fn check_hints(place: &str, model: &Model, canvas: &mut Canvas) {
    let theme = ui::theme(model);
    let chips = hints::bar(model);
    assert!(chips.len() <= 5, "{place} has {} hints", chips.len());
    let room = canvas.area().w - 2 * theme.m.margin();
    let width = hint_bar::width(canvas, &theme, &chips, theme.m.u);
    assert!(
        width <= room,
        "{place}: hints take {width} of {room} pixels"
    );
}

#[test]
fn on_every_panel_and_at_every_text_size_texts_and_hints_fit() {
    use settings::TextSize::{Large, Normal, Small};
    for (width, height) in PANELS {
        let (panel, mut canvas) = panel(width, height);
        for (name, model) in samples::all(panel) {
            // The other two sizes matter where there is least room.
            let sizes = if height == 480 && width == 640 {
                &[Normal, Small, Large][..]
            } else {
                &[Normal][..]
            };
            for &size in sizes {
                let mut model = model.clone();
                model.settings.text_size = size;
                drawn(&mut model, &mut canvas);
                let place = format!("{name} at {width}×{height}, {size:?}");
                check_texts(&place, &model, &canvas);
                check_hints(&place, &model, &mut canvas);
            }
        }
    }
}

#[test]
fn the_check_for_overlaps_finds_one() {
    let (panel, mut canvas) = panel(640, 480);
    let (_, mut model) = samples::all(panel).swap_remove(0);
    drawn(&mut model, &mut canvas);
    let theme = ui::theme(&model);
    let area = Rect::new(30, 60, 200, 32);
    canvas.label(
        area,
        "across a tile",
        Face::Sans,
        24,
        theme.color(ui::Tone::Text),
        Align::Left,
    );
    let texts = canvas.recorded();
    let last = &texts[texts.len() - 1];
    assert!(
        texts[..texts.len() - 1]
            .iter()
            .any(|other| overlap(other, last))
    );
}

#[test]
fn drawing_twice_changes_no_pixel_and_costs_no_upload() {
    let (panel, mut canvas) = panel(640, 480);
    for (name, mut model) in samples::all(panel) {
        drawn(&mut model, &mut canvas);
        canvas.damage();
        ui::draw(&model, &ui::theme(&model), &mut canvas);
        assert_eq!(canvas.damage(), [], "{name}");
    }
}

#[test]
fn the_focus_is_there_and_stands_out_in_greyscale() {
    let (panel, mut canvas) = panel(640, 480);
    for light in [settings::Theme::Dark, settings::Theme::Light] {
        for name in [
            "home",
            "chats",
            "settings",
            "files",
            "gallery",
            "writing-grid",
            "menu",
        ] {
            let (_, mut model) = samples::all(panel)
                .into_iter()
                .find(|(n, _)| *n == name)
                .unwrap();
            model.settings.theme = light;
            drawn(&mut model, &mut canvas);
            let theme = ui::theme(&model);
            let accent = theme.color(ui::Tone::Accent);
            let filled = canvas
                .pixels()
                .iter()
                .filter(|&&p| Color(p) == accent)
                .count();
            assert!(filled > 1200, "{name}: {filled} pixels of focus");
            assert!(accent.contrast(theme.color(ui::Tone::Surface)) >= 5.5);
        }
    }
}

#[test]
fn no_panel_is_too_small_or_too_large_to_draw_on() {
    for (width, height) in [(1, 1), (80, 4000), (320, 240), (480, 320), (1920, 1152)] {
        let (panel, mut canvas) = panel(width, height);
        for (_, mut model) in samples::all(panel) {
            drawn(&mut model, &mut canvas);
        }
    }
}
