//! Writes every screen in every state, panel and theme as a PNG:
//! `cargo run -p handheld --example gallery -- OUT [--panel 1920x1152] [--text small|large] [--sheets] [NAME...]`.
//!
//! With `--sheets`, twelve of them side by side on each picture instead, to be looked through.

#[path = "../tests/samples/mod.rs"]
mod samples;

use handheld::app::model::{Panel, Raster, settings};
use handheld::runtime::raster::fit;
use handheld::ui::canvas::png;
use handheld::ui::{self, Canvas, Color};
use std::path::PathBuf;

const PANELS: [(u32, u32); 4] = [(640, 480), (720, 480), (720, 720), (960, 544)];

const THEMES: [(&str, settings::Theme); 2] = [
    ("dark", settings::Theme::Dark),
    ("light", settings::Theme::Light),
];

/// Screens on a sheet, and the width of each there in pixels.
const COLUMNS: usize = 4;
const ROWS: usize = 3;
const CELL: u32 = 480;
/// Pixels between them.
const GAP: u32 = 8;

/// Screens side by side, made smaller.
fn sheet(shown: &[(&str, Vec<u16>)], width: u32, height: u32) -> Vec<u8> {
    let cell = (CELL, CELL * height / width);
    let (across, down) = (cell.0 + GAP, cell.1 + GAP);
    let (wide, high) = (across * COLUMNS as u32, down * ROWS as u32);
    let mut pixels = vec![0xF81F; (wide * high) as usize];
    for (n, (_, screen)) in shown.iter().enumerate() {
        let rgb = screen.iter().flat_map(|&p| Color(p).channels()).collect();
        let small = fit(Raster { width, height, rgb }, cell.0, cell.1);
        let (left, top) = ((n % COLUMNS) as u32 * across, (n / COLUMNS) as u32 * down);
        for y in 0..small.height {
            for x in 0..small.width {
                let from = ((y * small.width + x) * 3) as usize;
                let [r, g, b] = [0, 1, 2].map(|i| u16::from(small.rgb[from + i]));
                let to = (top + y) * wide + left + x;
                pixels[to as usize] = (r >> 3) << 11 | (g >> 2) << 5 | b >> 3;
            }
        }
    }
    png::encode(wide, high, &pixels)
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "gallery".into()));
    let mut panels = PANELS.to_vec();
    let mut text = settings::TextSize::Normal;
    let mut wanted = Vec::new();
    let mut sheets = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--panel" => {
                let value = arguments.next().unwrap_or_default();
                let sides = value
                    .split_once('x')
                    .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
                panels =
                    vec![sides.ok_or_else(|| std::io::Error::other("--panel takes WIDTHxHEIGHT"))?];
            }
            "--text" => {
                text = match arguments.next().as_deref() {
                    Some("small") => settings::TextSize::Small,
                    Some("large") => settings::TextSize::Large,
                    _ => return Err(std::io::Error::other("--text takes small or large")),
                };
            }
            "--sheets" => sheets = true,
            _ => wanted.push(argument),
        }
    }
    std::fs::create_dir_all(&out)?;
    for (width, height) in panels {
        let mut canvas = Canvas::new(width as i32, height as i32);
        let mut shown = [Vec::new(), Vec::new()];
        for (name, mut model) in samples::all(Panel { width, height }) {
            if !wanted.is_empty() && !wanted.iter().any(|w| name.starts_with(w.as_str())) {
                continue;
            }
            model.settings.text_size = text;
            for (at, (word, colours)) in THEMES.into_iter().enumerate() {
                model.settings.theme = colours;
                let theme = ui::theme(&model);
                model.extent = ui::draw(&model, &theme, &mut canvas);
                ui::draw(&model, &theme, &mut canvas);
                if sheets {
                    shown[at].push((name, canvas.pixels().to_vec()));
                    continue;
                }
                std::fs::write(
                    out.join(format!("{name}-{width}x{height}-{word}.png")),
                    canvas.png(),
                )?;
            }
        }
        for (all, (word, _)) in shown.iter().zip(THEMES) {
            for (n, some) in all.chunks(COLUMNS * ROWS).enumerate() {
                let path = out.join(format!("sheet-{width}x{height}-{word}-{n}.png"));
                let names: Vec<_> = some.iter().map(|(name, _)| *name).collect();
                println!("{}: {}", path.display(), names.join(", "));
                std::fs::write(path, sheet(some, width, height))?;
            }
        }
    }
    Ok(())
}
