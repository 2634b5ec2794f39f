//! Pairing: calls a laptop whose window is open and runs the exchange.

use super::LinkEvent;
use super::driver::Driver;
use crate::app::model::Carrier;
use crate::app::msg::{PairingEvent, PairingFault};

pub(super) async fn pair(driver: &Driver, carrier: Carrier) {
    if let Err(why) = driver.dialer.dial(&carrier).await {
        driver
            .tell(LinkEvent::Pairing(PairingEvent::Failed(
                PairingFault::Unreachable(why),
            )))
            .await;
        return;
    }
    driver
        .tell(LinkEvent::Pairing(PairingEvent::Failed(
            PairingFault::NotOpen,
        )))
        .await;
}
