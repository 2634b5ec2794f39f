//! Looking at a picture before believing it: format, dimensions, memory; then decoding under limits.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Limits, RgbImage, Rgba};

use crate::ipc::{Failure, FailureCode, PictureFormat};
use crate::service::wording::one_line;

/// Most bytes of an encoded picture.
pub const MAX_BYTES: usize = 24 << 20;
/// Longest side in pixels.
pub const MAX_SIDE: u32 = 4096;
/// Most pixels.
pub const MAX_PIXELS: u64 = 16 << 20;

fn bad(text: impl Into<String>) -> Failure {
    Failure::new(FailureCode::BadImage, "", text)
}

/// The format that the first bytes show, whatever a name or a header claims.
pub fn sniff(bytes: &[u8]) -> Option<PictureFormat> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(PictureFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Some(PictureFormat::Jpeg),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(PictureFormat::WebP),
        _ => None,
    }
}

/// Decodes JPEG, PNG or WebP; transparency is laid on white.
///
/// # Errors
/// `BadImage` that says what is wrong. Dimensions are checked before memory is taken.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, Failure> {
    if bytes.len() > MAX_BYTES {
        return Err(bad(format!(
            "The picture has {} bytes; at most {MAX_BYTES} are taken.",
            bytes.len()
        )));
    }
    let format = match sniff(bytes) {
        Some(PictureFormat::Png) => ImageFormat::Png,
        Some(PictureFormat::Jpeg) => ImageFormat::Jpeg,
        Some(PictureFormat::WebP) => ImageFormat::WebP,
        _ => return Err(bad("That is no JPEG, PNG or WebP picture.")),
    };
    let reader = |limits| {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits);
        reader
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // Eight bytes a pixel (16 bits, four channels) and as much again for the decoder itself.
    limits.max_alloc = Some(MAX_PIXELS * 16);
    let (width, height) = reader(limits.clone()).into_dimensions().map_err(|error| {
        bad(format!(
            "The picture is damaged: {}.",
            one_line(&error.to_string())
        ))
    })?;
    if width == 0
        || height == 0
        || width > MAX_SIDE
        || height > MAX_SIDE
        || u64::from(width) * u64::from(height) > MAX_PIXELS
    {
        return Err(bad(format!(
            "The picture is {width}×{height}; at most {MAX_SIDE} a side and {MAX_PIXELS} pixels are taken."
        )));
    }
    // A decoder may stop in the middle of a damaged picture, as zune-jpeg 0.5.15 does at an assertion of upsampler/avx2.rs. What it held
    // is dropped with it, and nothing of it is used.
    let decoded = catch_unwind(AssertUnwindSafe(|| reader(limits).decode()))
        .map_err(|_| bad("The picture is damaged: its decoder gave up."))?;
    let image = decoded.map_err(|error| {
        bad(format!(
            "The picture is damaged: {}.",
            one_line(&error.to_string())
        ))
    })?;
    if !image.color().has_alpha() {
        return Ok(image.into_rgb8());
    }
    let image = image.into_rgba8();
    Ok(RgbImage::from_fn(width, height, |x, y| {
        let Rgba([r, g, b, a]) = *image.get_pixel(x, y);
        let over =
            |c: u8| ((u16::from(c) * u16::from(a) + 255 * (255 - u16::from(a)) + 127) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    }))
}

/// A PNG of the picture.
///
/// # Errors
/// `BadImage` if it cannot be encoded.
pub fn encode_png(image: &RgbImage) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive)
        .write_image(
            image.as_raw(),
            image.width(),
            image.height(),
            ExtendedColorType::Rgb8,
        )
        .map_err(|error| bad(format!("The picture cannot be encoded: {error}.")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A progressive JPEG at which a decoder gives up, where the processor has AVX2.
    #[test]
    fn a_decoder_that_gives_up_ends_this_picture_alone() {
        if let Err(failure) = decode(include_bytes!("damaged.jpg")) {
            assert_eq!(failure.code, FailureCode::BadImage);
            assert!(failure.detail.contains("damaged"), "{failure}");
        }
    }

    /// A PNG whose header says `width` by `height`, with a valid checksum.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut header = b"IHDR".to_vec();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 2, 0, 0, 0]);
        let mut crc = !0u32;
        for byte in &header {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    (crc >> 1) ^ 0xedb8_8320
                } else {
                    crc >> 1
                };
            }
        }
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        bytes.extend(header);
        bytes.extend((!crc).to_be_bytes());
        bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        bytes
    }

    #[test]
    fn a_picture_survives_the_way_through_png() {
        let image = RgbImage::from_fn(7, 5, |x, y| image::Rgb([x as u8 * 30, y as u8 * 40, 9]));
        assert_eq!(decode(&encode_png(&image).unwrap()).unwrap(), image);
    }

    #[test]
    fn bombs_are_refused_by_their_header() {
        for (width, height) in [(100_000, 100_000), (4097, 1), (4096, 4097), (0, 5)] {
            assert_eq!(
                decode(&png_header(width, height)).unwrap_err().code,
                FailureCode::BadImage,
                "{width}x{height}"
            );
        }
    }

    #[test]
    fn what_is_no_picture_is_told_so() {
        assert!(decode(b"<html>").unwrap_err().detail.contains("no JPEG"));
        assert!(
            decode(b"GIF89a....")
                .unwrap_err()
                .detail
                .contains("no JPEG")
        );
        assert!(
            decode(&[0xff, 0xd8, 0xff, 0xe0])
                .unwrap_err()
                .detail
                .contains("damaged")
        );
    }

    #[test]
    fn transparency_is_laid_on_white() {
        let image = image::RgbaImage::from_pixel(2, 2, Rgba([0, 0, 0, 0]));
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(image.as_raw(), 2, 2, ExtendedColorType::Rgba8)
            .unwrap();
        assert_eq!(decode(&bytes).unwrap().get_pixel(1, 1).0, [255; 3]);
    }

    proptest! {
        #[test]
        fn damaged_pictures_never_panic(at in 8usize..200, bit in 0u8..8, cut in 0usize..200) {
            let image = RgbImage::from_fn(9, 9, |x, y| image::Rgb([x as u8, y as u8 * 7, 1]));
            let mut bytes = encode_png(&image).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let _ = decode(&bytes);
            bytes.truncate(cut);
            let _ = decode(&bytes);
        }
    }
}
