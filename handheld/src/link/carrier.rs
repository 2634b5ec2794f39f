//! Carriers: ways to open a byte stream to the laptop. What runs over it is the same for all of them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use smol::net::TcpStream;

use crate::app::model::Carrier;

/// How long opening a carrier may take: three SYNs on a direct link.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection under way.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = Result<TcpStream, String>> + Send + 'a>>;

/// Opens carriers. Errors are sentences for the connection screen.
pub trait Dialer: Send + Sync {
    /// Opens this carrier; ends by itself within some seconds, whatever the network does.
    fn dial<'a>(&'a self, carrier: &'a Carrier) -> Connecting<'a>;
}

/// Plain TCP to a numeric address. There is no resolver here: the handheld speaks no DNS.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

impl Dialer for TcpDialer {
    fn dial<'a>(&'a self, carrier: &'a Carrier) -> Connecting<'a> {
        Box::pin(async move {
            let text = match carrier {
                Carrier::Tcp(address) => address,
                Carrier::WifiDirect => {
                    return Err("This version does not drive Wi-Fi Direct.".into());
                }
                Carrier::Station => {
                    return Err("This version does not join the laptop's network by itself.".into());
                }
                Carrier::Usb => return Err("This version does not set up the USB link.".into()),
            };
            let address: SocketAddr = text.parse().map_err(|_| {
                format!(
                    "{} is not an address like 192.168.7.1:8144.",
                    text.escape_debug()
                )
            })?;
            let connect = async { TcpStream::connect(address).await };
            let timeout = async {
                smol::Timer::after(CONNECT_TIMEOUT).await;
                Err(io::ErrorKind::TimedOut.into())
            };
            let stream = smol::future::or(connect, timeout)
                .await
                .map_err(|e| sentence(&e))?;
            // A word must not wait for the next one.
            stream.set_nodelay(true).map_err(|e| sentence(&e))?;
            Ok(stream)
        })
    }
}

fn sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "OfficeOS does not run there, or listens on another port.".into()
        }
        io::ErrorKind::TimedOut => "Nothing answered at that address.".into(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "There is no way to that address from here.".into()
        }
        _ => format!("The connection failed: {error}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_refused_because_nothing_here_resolves_names() {
        let refused = smol::block_on(TcpDialer.dial(&Carrier::Tcp("laptop.local:8144".into())));
        assert!(refused.unwrap_err().contains("is not an address"));
        let unbuilt = smol::block_on(TcpDialer.dial(&Carrier::WifiDirect)).unwrap_err();
        assert_eq!(unbuilt, "This version does not drive Wi-Fi Direct.");
    }

    #[test]
    fn a_closed_port_says_what_to_look_at_and_an_open_one_connects() {
        smol::block_on(async {
            let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = Carrier::Tcp(listener.local_addr().unwrap().to_string());
            TcpDialer.dial(&address).await.unwrap();
            drop(listener);
            let refused = TcpDialer.dial(&address).await.unwrap_err();
            assert!(refused.contains("does not run there"), "{refused}");
        });
    }
}
