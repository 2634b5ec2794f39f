//! Decoding to be counted in instructions: `decode FORMAT TIMES`, FORMAT being jpeg, png or rgb565. A picture of 640×480 is made and encoded
//! first, in every run alike, so that the difference between two runs with different numbers of times is what decoding costs.
//! `scripts/bench handheld` does it.

use handheld::runtime::raster::decode;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use shared_proto::picture::Format;
use std::hint::black_box;

const SIZE: (u16, u16) = (640, 480);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let picture = picture();
    let (width, height) = picture.dimensions();
    let rgb = ExtendedColorType::Rgb8;
    let mut value = Vec::new();
    match wanted.as_str() {
        "jpeg" => {
            value.push(Format::Jpeg as u8);
            JpegEncoder::new_with_quality(&mut value, 85)
                .write_image(&picture, width, height, rgb)?;
        }
        "png" => {
            value.push(Format::Png as u8);
            PngEncoder::new(&mut value).write_image(&picture, width, height, rgb)?;
        }
        "rgb565" => {
            value.push(Format::Rgb565 as u8);
            value.extend([SIZE.0.to_le_bytes(), SIZE.1.to_le_bytes()].concat());
            let pixels = picture.pixels().flat_map(|Rgb([r, g, b])| {
                let pixel = u16::from(r >> 3) << 11 | u16::from(g >> 2) << 5 | u16::from(b >> 3);
                pixel.to_le_bytes()
            });
            let pixels: Vec<u8> = pixels.collect();
            value.extend(compress_to_vec(&pixels[..], CompressionLevel::Fastest));
        }
        _ => return Err("decode jpeg|png|rgb565 TIMES".into()),
    }
    for _ in 0..times {
        black_box(decode(black_box(&value)).ok_or("it does not decode")?);
    }
    println!("{} octets", value.len());
    Ok(())
}

/// Soft shapes with a little noise, as a photograph has them.
fn picture() -> RgbImage {
    let mut noise = 1_u32;
    RgbImage::from_fn(SIZE.0.into(), SIZE.1.into(), |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = (x as f32 / 90.0, y as f32 / 70.0);
        let grain = (noise >> 29) as f32;
        let light =
            |phase: f32| ((x + phase).sin() * (y - phase).cos() * 110.0 + 128.0 + grain) as u8;
        Rgb([light(0.0), light(0.7), light(1.9)])
    })
}
