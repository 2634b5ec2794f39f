//! Waking from suspend, without a wake-up of our own meanwhile: a timer far away on the clock of the day is cancelled by the kernel when
//! that clock is set, and resuming sets it (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). How long the device slept say its clocks.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId as Clock, clock_gettime};
use smol::Async;

/// The timer's instant: a second before the year 2100. It never comes.
const FAR: Duration = Duration::from_secs(4_102_444_799);

/// Milliseconds of suspended time since boot. Zero where the kernel lacks a clock, which none that runs this app does.
#[must_use]
pub fn slept() -> u64 {
    let now = |clock| clock_gettime(clock).map_or(Duration::ZERO, Duration::from);
    // In this order a pause between both reads only makes it smaller.
    let boot = now(Clock::CLOCK_BOOTTIME);
    let awake = now(Clock::CLOCK_MONOTONIC);
    u64::try_from(boot.saturating_sub(awake).as_millis()).unwrap_or(u64::MAX)
}

/// Tells of set clocks.
pub struct Resume(Async<TimerFd>);

impl Resume {
    /// Begins to listen.
    ///
    /// # Errors
    /// The kernel has no such timer.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_REALTIME, flags)?;
        arm(&timer)?;
        Ok(Self(Async::new(timer)?))
    }

    /// Waits until the clock of the day was set: the device may have slept.
    ///
    /// # Errors
    /// The timer fails.
    pub async fn next(&self) -> io::Result<()> {
        self.0.readable().await?;
        match self.0.get_ref().wait() {
            Ok(()) | Err(Errno::ECANCELED | Errno::EAGAIN) => arm(self.0.get_ref()),
            Err(error) => Err(error.into()),
        }
    }
}

fn arm(timer: &TimerFd) -> io::Result<()> {
    let at = Expiration::OneShot(TimeSpec::from_duration(FAR));
    let how = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
    Ok(timer.set(at, how)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_while_nothing_happens_and_the_clocks_hardly_part() {
        let first = slept();
        let resume = Resume::new().unwrap();
        smol::future::block_on(smol::future::or(
            async {
                resume
                    .next()
                    .await
                    .unwrap_or_else(|error| panic!("woken: {error}"))
            },
            async {
                smol::Timer::after(Duration::from_millis(20)).await;
            },
        ));
        assert!(slept().abs_diff(first) < 200);
    }
}
