//! Writes every screen in every state, panel and theme as a PNG: `cargo run --example gallery -- OUT [NAME...]`.

#[path = "../tests/samples/mod.rs"]
mod samples;

use handheld::app::model::{Panel, settings};
use handheld::ui::{self, Canvas};
use std::path::PathBuf;

const PANELS: [(u32, u32); 4] = [(640, 480), (720, 480), (720, 720), (960, 544)];

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "gallery".into()));
    let wanted: Vec<String> = arguments.collect();
    std::fs::create_dir_all(&out)?;
    for (width, height) in PANELS {
        for (name, mut model) in samples::all(Panel { width, height }) {
            if !wanted.is_empty() && !wanted.iter().any(|w| name.starts_with(w.as_str())) {
                continue;
            }
            for (word, colours) in [
                ("dark", settings::Theme::Dark),
                ("light", settings::Theme::Light),
            ] {
                model.settings.theme = colours;
                let theme = ui::theme(&model);
                let mut canvas = Canvas::new(width as i32, height as i32);
                model.extent = ui::draw(&model, &theme, &mut canvas);
                ui::draw(&model, &theme, &mut canvas);
                std::fs::write(
                    out.join(format!("{name}-{width}x{height}-{word}.png")),
                    canvas.png(),
                )?;
            }
        }
    }
    Ok(())
}
