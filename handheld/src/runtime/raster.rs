//! Pixels of a picture: decoded with every size checked first, and scaled to what is shown.

use std::io::{Cursor, Read};

use shared_proto::limits::MAX_SIDE;
use shared_proto::picture::Format;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::app::model::Raster;

/// Decodes an `Image` value (`shared_proto::picture`). `None`: damaged, too large, or of a format that this handheld
/// did not ask for.
pub fn decode(bytes: &[u8]) -> Option<Raster> {
    let (&number, body) = bytes.split_first()?;
    match Format::from_number(number)? {
        Format::Jpeg => jpeg(body),
        Format::Png => png(body),
        Format::Rgb565 => rgb565(body),
        Format::WebP => None,
    }
}

/// The file inside an `Image` value and its ending; `Rgb565`, which is no file, becomes a PNG.
pub fn as_file(bytes: &[u8]) -> Option<(Vec<u8>, &'static str)> {
    let (&number, body) = bytes.split_first()?;
    match Format::from_number(number)? {
        Format::Jpeg => Some((body.to_vec(), "jpg")),
        Format::Png => Some((body.to_vec(), "png")),
        Format::WebP => Some((body.to_vec(), "webp")),
        Format::Rgb565 => Some((to_png(&rgb565(body)?)?, "png")),
    }
}

/// A PNG of these pixels.
pub fn to_png(raster: &Raster) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, raster.width, raster.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .ok()?
        .write_image_data(&raster.rgb)
        .ok()?;
    Some(out)
}

fn is_allowed(width: usize, height: usize) -> bool {
    let allowed = 1..=usize::from(MAX_SIDE);
    allowed.contains(&width) && allowed.contains(&height)
}

/// Baseline JPEG of one scan, as laptops send it. The decoder reads the first scan of several only, so that more than
/// one is refused rather than shown in wrong colours.
fn jpeg(body: &[u8]) -> Option<Raster> {
    if body.windows(2).filter(|pair| *pair == [0xff, 0xda]).count() != 1 {
        return None;
    }
    let side = usize::from(MAX_SIDE);
    let options = DecoderOptions::default()
        .set_max_width(side)
        .set_max_height(side)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(body), options);
    let rgb = decoder.decode().ok()?;
    let (width, height) = decoder.dimensions()?;
    (is_allowed(width, height) && rgb.len() == width * height * 3).then_some(Raster {
        width: width as u32,
        height: height as u32,
        rgb,
    })
}

fn png(body: &[u8]) -> Option<Raster> {
    let limits = png::Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(body), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    if !is_allowed(width, height) {
        return None;
    }
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut pixels).ok()?;
    pixels.truncate(info.buffer_size());
    let rgb = match info.color_type {
        png::ColorType::Rgb => pixels,
        png::ColorType::Rgba => pixels
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect(),
        png::ColorType::Grayscale => pixels.iter().flat_map(|&g| [g; 3]).collect(),
        png::ColorType::GrayscaleAlpha => pixels.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(),
        png::ColorType::Indexed => return None,
    };
    (rgb.len() == width * height * 3).then_some(Raster {
        width: width as u32,
        height: height as u32,
        rgb,
    })
}

fn rgb565(body: &[u8]) -> Option<Raster> {
    let (head, packed) = body.split_first_chunk::<4>()?;
    let width = usize::from(u16::from_le_bytes([head[0], head[1]]));
    let height = usize::from(u16::from_le_bytes([head[2], head[3]]));
    if !is_allowed(width, height) {
        return None;
    }
    let wanted = width * height * 2;
    let mut pixels = Vec::with_capacity(wanted);
    let decoder = ruzstd::decoding::StreamingDecoder::new(packed).ok()?;
    decoder
        .take(wanted as u64 + 1)
        .read_to_end(&mut pixels)
        .ok()?;
    if pixels.len() != wanted {
        return None;
    }
    let rgb = pixels
        .chunks_exact(2)
        .flat_map(|p| {
            let v = u16::from_le_bytes([p[0], p[1]]);
            let (r, g, b) = ((v >> 11) as u8, (v >> 5 & 0x3F) as u8, (v & 0x1F) as u8);
            [r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2]
        })
        .collect();
    Some(Raster {
        width: width as u32,
        height: height as u32,
        rgb,
    })
}

/// The picture, no wider and higher than this and in its own proportions; each pixel the mean of those it stands for.
pub fn fit(raster: Raster, width: u32, height: u32) -> Raster {
    if raster.width <= width && raster.height <= height || width == 0 || height == 0 {
        return raster;
    }
    let (from_w, from_h) = (u64::from(raster.width), u64::from(raster.height));
    let by_width = u64::from(width) * from_h <= u64::from(height) * from_w;
    let (to_w, to_h) = if by_width {
        (
            u64::from(width),
            (u64::from(width) * from_h / from_w).max(1),
        )
    } else {
        (
            (u64::from(height) * from_w / from_h).max(1),
            u64::from(height),
        )
    };
    let mut rgb = Vec::with_capacity((to_w * to_h * 3) as usize);
    for y in 0..to_h {
        let (top, bottom) = (
            y * from_h / to_h,
            ((y + 1) * from_h / to_h).max(y * from_h / to_h + 1),
        );
        for x in 0..to_w {
            let (left, right) = (
                x * from_w / to_w,
                ((x + 1) * from_w / to_w).max(x * from_w / to_w + 1),
            );
            let mut sum = [0u64; 3];
            for row in top..bottom {
                let start = ((row * from_w + left) * 3) as usize;
                let end = ((row * from_w + right) * 3) as usize;
                for pixel in raster.rgb[start..end].chunks_exact(3) {
                    (0..3).for_each(|c| sum[c] += u64::from(pixel[c]));
                }
            }
            let count = (bottom - top) * (right - left);
            rgb.extend(sum.map(|s| (s / count) as u8));
        }
    }
    Raster {
        width: to_w as u32,
        height: to_h as u32,
        rgb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checker(width: u32, height: u32) -> Raster {
        let rgb = (0..width * height)
            .flat_map(|n| [(n % 256) as u8, 128, 255 - (n % 256) as u8])
            .collect();
        Raster { width, height, rgb }
    }

    #[test]
    fn jpeg_colours_are_right_and_several_scans_are_refused() {
        let mut value = vec![Format::Jpeg as u8];
        value.extend_from_slice(include_bytes!("../../tests/samples/two-colours.jpg"));
        let picture = decode(&value).unwrap();
        assert_eq!((picture.width, picture.height), (32, 32));
        let near = |x: usize, y: usize, colour: [u8; 3]| {
            let at = (y * 32 + x) * 3;
            let found = &picture.rgb[at..at + 3];
            let off = found.iter().zip(colour).map(|(a, b)| a.abs_diff(b)).max();
            assert!(off <= Some(12), "{found:?} at {x}, {y}");
        };
        for y in [2, 9, 16, 29] {
            near(4, y, [220, 120, 40]);
            near(27, y, [40, 90, 200]);
        }
        value.extend_from_slice(&[0xff, 0xda]);
        assert_eq!(decode(&value), None);
    }

    #[test]
    fn png_pixels_come_back_exactly_and_half_a_file_is_refused() {
        let picture = checker(31, 17);
        let mut value = vec![Format::Png as u8];
        value.extend(to_png(&picture).unwrap());
        assert_eq!(decode(&value), Some(picture));
        for len in 0..value.len() - 16 {
            assert_eq!(decode(&value[..len]), None, "{len}");
        }
    }

    #[test]
    fn rgb565_is_widened_and_its_length_is_checked() {
        let pixels: Vec<u8> = [0xF800u16, 0x07E0, 0x001F, 0xFFFF]
            .iter()
            .flat_map(|p| p.to_le_bytes())
            .collect();
        let packed = ruzstd::encoding::compress_to_vec(
            &pixels[..],
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        let value =
            |w: u16, h: u16| [&[2][..], &w.to_le_bytes(), &h.to_le_bytes(), &packed].concat();
        let got = decode(&value(2, 2)).unwrap();
        assert_eq!(got.rgb, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
        assert!(decode(&value(3, 2)).is_none() && decode(&value(1, 2)).is_none());
        assert!(
            decode(&value(60_000, 60_000)).is_none(),
            "refused before memory is taken"
        );
    }

    #[test]
    fn a_picture_keeps_its_proportions_and_a_small_one_its_pixels() {
        let small = fit(checker(200, 100), 50, 50);
        assert_eq!(
            (small.width, small.height, small.rgb.len()),
            (50, 25, 50 * 25 * 3)
        );
        let tall = fit(checker(10, 400), 100, 100);
        assert_eq!((tall.width, tall.height), (2, 100));
        assert_eq!(fit(checker(8, 8), 50, 50), checker(8, 8));
        let grey = fit(
            Raster {
                width: 2,
                height: 2,
                rgb: [0, 0, 0, 100, 100, 100, 0, 0, 0, 100, 100, 100].into(),
            },
            1,
            1,
        );
        assert_eq!(grey.rgb, [50, 50, 50]);
    }
}
