//! Fitting a picture to a small screen and choosing the encoding that is cheapest to send.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::ipc::{Failure, FailureCode, PictureFormat, Screen};

use super::check::encode_png;

/// JPEG quality for photographs and paintings.
const JPEG_QUALITY: u8 = 80;
/// zstd level for RGB565: the highest that is still quick for a screenful.
const ZSTD_LEVEL: i32 = 19;

/// A picture ready for a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// Encoded bytes.
    pub bytes: Vec<u8>,
    /// Their encoding.
    pub format: PictureFormat,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
}

fn failed(text: impl std::fmt::Display) -> Failure {
    Failure::new(
        FailureCode::BadImage,
        "",
        format!("The picture cannot be fitted: {text}."),
    )
}

/// The picture at another size, Lanczos-filtered.
///
/// # Errors
/// `BadImage` for impossible sizes.
pub fn resize(image: &RgbImage, width: u32, height: u32) -> Result<RgbImage, Failure> {
    if (width, height) == image.dimensions() {
        return Ok(image.clone());
    }
    if width > super::check::MAX_SIDE || height > super::check::MAX_SIDE {
        return Err(Failure::new(
            FailureCode::TooLarge,
            "",
            format!(
                "The result would be {width}×{height}; at most {} a side are made.",
                super::check::MAX_SIDE
            ),
        ));
    }
    let from = ImageRef::new(
        image.width(),
        image.height(),
        image.as_raw(),
        PixelType::U8x3,
    )
    .map_err(failed)?;
    let mut to = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new()
        .resize(&from, &mut to, &options)
        .map_err(failed)?;
    RgbImage::from_raw(width, height, to.into_vec()).ok_or_else(|| failed("the sizes do not agree"))
}

/// The size at which `width` by `height` is shown whole on a screen; never enlarged.
pub fn size_on(width: u32, height: u32, screen: &Screen) -> (u32, u32) {
    let (most_w, most_h) = (
        u64::from(screen.width.max(1)),
        u64::from(screen.height.max(1)),
    );
    let (w, h) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (new_w, new_h) = if w <= most_w && h <= most_h {
        (w, h)
    } else if w * most_h >= h * most_w {
        (most_w, (h * most_w + w / 2) / w)
    } else {
        ((w * most_h + h / 2) / h, most_h)
    };
    (
        u32::try_from(new_w.max(1)).unwrap_or(1),
        u32::try_from(new_h.max(1)).unwrap_or(1),
    )
}

/// Scales to the screen and encodes in each accepted format that suits; the smallest wins.
///
/// # Errors
/// `Unsupported` if none of the accepted formats can be made.
pub fn fit(image: &RgbImage, screen: &Screen) -> Result<Fitted, Failure> {
    let (width, height) = size_on(image.width(), image.height(), screen);
    let image = resize(image, width, height)?;
    let usual = [PictureFormat::Jpeg, PictureFormat::Png];
    let accepts: &[PictureFormat] = if screen.accepts.is_empty() {
        &usual
    } else {
        &screen.accepts
    };
    let flat = is_flat(&image);
    let mut best: Option<Fitted> = None;
    for format in [
        PictureFormat::Jpeg,
        PictureFormat::Rgb565Zstd,
        PictureFormat::Png,
    ] {
        // JPEG smears text and flat colour, and 565 shows bands in a photograph; each is for the other case, unless the
        // device takes nothing else.
        let unsuited = match format {
            PictureFormat::Jpeg => flat,
            PictureFormat::Rgb565Zstd => !flat,
            _ => false,
        };
        let only_one = accepts.iter().all(|f| *f == format);
        if !accepts.contains(&format)
            || (unsuited && !only_one && accepts.contains(&PictureFormat::Png))
        {
            continue;
        }
        // For what is no flat picture, PNG is never smaller than JPEG: it need not be tried.
        if format == PictureFormat::Png && !flat && best.is_some() {
            continue;
        }
        let bytes = match format {
            PictureFormat::Jpeg => jpeg(&image)?,
            PictureFormat::Rgb565Zstd => rgb565_zstd(&image)?,
            _ => encode_png(&image)?,
        };
        if best.as_ref().is_none_or(|b| bytes.len() < b.bytes.len()) {
            let side = |n: u32| u16::try_from(n).map_err(failed);
            best = Some(Fitted {
                bytes,
                format,
                width: side(width)?,
                height: side(height)?,
            });
        }
    }
    best.ok_or_else(|| {
        Failure::new(
            FailureCode::Unsupported,
            "",
            "The device accepts no picture format that can be made.",
        )
    })
}

/// Baseline JPEG.
fn jpeg(image: &RgbImage) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // One interleaved scan: tables made for the picture would save a few per cent and cost a scan for each
    // component, which small decoders get wrong.
    let side = |n: u32| u16::try_from(n).map_err(failed);
    encoder
        .encode(
            image.as_raw(),
            side(image.width())?,
            side(image.height())?,
            ColorType::Rgb,
        )
        .map_err(failed)?;
    Ok(bytes)
}

/// Rows of little-endian RGB565 under zstd.
fn rgb565_zstd(image: &RgbImage) -> Result<Vec<u8>, Failure> {
    let mut raw = Vec::with_capacity(image.as_raw().len() / 3 * 2);
    for pixel in image.pixels() {
        let [r, g, b] = pixel.0.map(u16::from);
        // Rounded, not cut: cutting darkens every picture by half a step.
        let (r, g, b) = (
            (r * 31 + 127) / 255,
            (g * 63 + 127) / 255,
            (b * 31 + 127) / 255,
        );
        raw.extend_from_slice(&((r << 11) | (g << 5) | b).to_le_bytes());
    }
    zstd::bulk::compress(&raw, ZSTD_LEVEL).map_err(failed)
}

/// Whether the picture is of few flat colours (text, drawings, pixel art): most neighbours are equal.
fn is_flat(image: &RgbImage) -> bool {
    let (width, height) = image.dimensions();
    if width < 2 {
        return true;
    }
    let (mut equal, mut all) = (0u32, 0u32);
    for y in (0..height).step_by(2) {
        for x in 1..width {
            let (a, b) = (image.get_pixel(x - 1, y).0, image.get_pixel(x, y).0);
            equal += u32::from(a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1));
            all += 1;
        }
    }
    f64::from(equal) > f64::from(all) * 0.70
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::check::{decode, sniff};
    use PictureFormat::{Jpeg, Png, Rgb565Zstd};

    fn screen(width: u16, height: u16, accepts: &[PictureFormat]) -> Screen {
        Screen {
            width,
            height,
            accepts: accepts.to_vec(),
        }
    }

    fn photo(width: u32, height: u32) -> RgbImage {
        let noise = super::super::painter::canvas::Noise::new(1, 1);
        RgbImage::from_fn(width, height, |x, y| {
            let v = (noise.cloud(x as f32 / 60.0, y as f32 / 60.0, 5) * 255.0) as u8;
            image::Rgb([v, v / 2 + 40, 255 - v])
        })
    }

    fn drawing(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb(if (x / 31 + y / 17) % 2 == 0 {
                [250, 250, 240]
            } else {
                [20, 30, 60]
            })
        })
    }

    #[test]
    fn a_jpeg_has_one_scan_so_that_small_decoders_read_it() {
        let image = RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8 * 4, y as u8 * 5, 90]));
        let bytes = jpeg(&image).expect("a JPEG");
        let scans = bytes
            .windows(2)
            .filter(|pair| *pair == [0xff, 0xda])
            .count();
        assert_eq!(scans, 1);
    }

    #[test]
    fn a_picture_is_shown_whole_and_never_enlarged() {
        let screen = screen(640, 480, &[]);
        assert_eq!(size_on(1024, 1024, &screen), (480, 480));
        assert_eq!(size_on(1920, 1080, &screen), (640, 360));
        assert_eq!(size_on(320, 200, &screen), (320, 200));
        assert_eq!(size_on(1, 4096, &screen), (1, 480));
        assert_eq!(size_on(4096, 1, &screen), (640, 1));
    }

    #[test]
    fn a_photo_becomes_jpeg_and_a_drawing_does_not() {
        let all = [Jpeg, Png, Rgb565Zstd];
        let fitted = fit(&photo(800, 600), &screen(640, 480, &all)).unwrap();
        assert_eq!(
            (fitted.format, fitted.width, fitted.height),
            (Jpeg, 640, 480)
        );
        assert_eq!(sniff(&fitted.bytes), Some(Jpeg));
        assert_eq!(decode(&fitted.bytes).unwrap().dimensions(), (640, 480));
        let fitted = fit(&drawing(640, 480), &screen(640, 480, &all)).unwrap();
        assert_ne!(fitted.format, Jpeg);
        assert!(fitted.bytes.len() < 20_000, "{}", fitted.bytes.len());
    }

    #[test]
    fn only_accepted_formats_are_sent() {
        for accepts in [&[Jpeg][..], &[Png], &[Rgb565Zstd]] {
            for image in [photo(64, 48), drawing(64, 48)] {
                assert_eq!(
                    fit(&image, &screen(640, 480, accepts)).unwrap().format,
                    accepts[0]
                );
            }
        }
        let none = fit(&photo(8, 8), &screen(640, 480, &[PictureFormat::WebP]));
        assert_eq!(none.unwrap_err().code, FailureCode::Unsupported);
    }

    #[test]
    fn rgb565_is_little_endian_rows_under_zstd() {
        let image = RgbImage::from_fn(2, 1, |x, _| {
            image::Rgb(if x == 0 { [255, 0, 0] } else { [0, 255, 255] })
        });
        let fitted = fit(&image, &screen(10, 10, &[Rgb565Zstd])).unwrap();
        assert_eq!(
            zstd::bulk::decompress(&fitted.bytes, 100).unwrap(),
            [0x00, 0xf8, 0xff, 0x07]
        );
    }

    #[test]
    fn an_impossible_enlargement_is_refused() {
        assert_eq!(
            resize(&photo(8, 8), 5000, 8).unwrap_err().code,
            FailureCode::TooLarge
        );
    }
}
