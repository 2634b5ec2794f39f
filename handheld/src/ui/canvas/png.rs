//! The canvas as a PNG file: screenshots and golden pictures.

use super::Canvas;
use crate::ui::color::Color;

impl Canvas {
    /// The picture as PNG bytes: with a palette when there are at most 256 colours, else eight bits a channel.
    pub fn png(&self) -> Vec<u8> {
        encode(self.width as u32, self.height as u32, &self.pixels)
    }
}

/// Panel pixels as PNG bytes.
pub fn encode(width: u32, height: u32, pixels: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_compression(png::Compression::High);
    let (data, palette) = indexed(pixels).unwrap_or_else(|| {
        let direct = pixels.iter().flat_map(|&p| Color(p).channels()).collect();
        (direct, Vec::new())
    });
    encoder.set_depth(png::BitDepth::Eight);
    // Flat grounds and repeated letters compress best as they are.
    encoder.set_filter(png::Filter::NoFilter);
    if palette.is_empty() {
        encoder.set_color(png::ColorType::Rgb);
    } else {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette);
    }
    // Writing into memory fails only for a size or length that does not fit, and both come from one canvas.
    let mut writer = encoder.write_header().expect("a canvas has a valid size");
    writer
        .write_image_data(&data)
        .expect("a canvas has all of its pixels");
    writer.finish().expect("writing into memory");
    out
}

/// Indices and palette, in order of first use; `None` with more than 256 colours.
fn indexed(pixels: &[u16]) -> Option<(Vec<u8>, Vec<u8>)> {
    const NONE: u16 = u16::MAX;
    let mut numbers = vec![NONE; 1 << 16];
    let (mut count, mut palette) = (0u16, Vec::new());
    let mut data = vec![0; pixels.len()];
    for (i, &p) in pixels.iter().enumerate() {
        let number = &mut numbers[usize::from(p)];
        if *number == NONE {
            if count == 256 {
                return None;
            }
            *number = count;
            count += 1;
            palette.extend_from_slice(&Color(p).channels());
        }
        data[i] = *number as u8;
    }
    Some((data, palette))
}

/// Reads PNG bytes written by [`encode`] back into panel pixels, with the width and height.
pub fn decode(bytes: &[u8]) -> Result<(u32, u32, Vec<u16>), png::DecodingError> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let mut data = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let info = reader.next_frame(&mut data)?;
    let pixels = data[..info.buffer_size()]
        .chunks_exact(3)
        .map(|c| Color::rgb(c[0], c[1], c[2]).0)
        .collect();
    Ok((info.width, info.height, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_colours_survive_the_file() {
        for colors in [3u32, 256, 3000] {
            let pixels: Vec<u16> = (0..60 * 70u32).map(|i| (i % colors * 21) as u16).collect();
            let bytes = encode(60, 70, &pixels);
            let (w, h, back) = decode(&bytes).unwrap();
            assert_eq!((w, h), (60, 70));
            assert!(back == pixels, "{colors} colours");
        }
    }
}
