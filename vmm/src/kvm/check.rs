//! Is KVM there, and can it do what we need?

use kvm_ioctls::{Cap, Kvm};
use thiserror::Error;

/// Why this host cannot run guests.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    #[error(
        "Could not access KVM kernel module: {}: /dev/kvm is needed: load kvm_intel or kvm_amd, \
         enable virtualization in the firmware, and give this user access to the device (group kvm)",
        reason(.0)
    )]
    Open(std::io::Error),
    #[error("/dev/kvm has API version {0}, and 12 is needed: use a newer kernel")]
    Version(i32),
    #[error("KVM lacks {0}: Linux 5.10 or newer with in-kernel interrupt controllers is needed")]
    Capability(&'static str),
    #[error("KVM refuses to {what}: {source}")]
    Refused { what: &'static str, source: std::io::Error },
}

/// The system's words without their number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

impl Problem {
    /// For `map_err` on a failed ioctl.
    pub(crate) fn refused(what: &'static str) -> impl Fn(kvm_ioctls::Error) -> Self {
        move |error| Self::Refused { what, source: error.into() }
    }
}

/// What is needed, with the names of the kernel's documentation.
const NEEDED: &[(Cap, &str)] = &[
    (Cap::UserMemory, "KVM_CAP_USER_MEMORY"),
    (Cap::Irqchip, "KVM_CAP_IRQCHIP"),
    (Cap::Pit2, "KVM_CAP_PIT2"),
    (Cap::SetTssAddr, "KVM_CAP_SET_TSS_ADDR"),
    (Cap::SetIdentityMapAddr, "KVM_CAP_SET_IDENTITY_MAP_ADDR"),
    (Cap::ExtCpuid, "KVM_CAP_EXT_CPUID"),
    (Cap::MpState, "KVM_CAP_MP_STATE"),
    (Cap::ImmediateExit, "KVM_CAP_IMMEDIATE_EXIT"),
    (Cap::VcpuEvents, "KVM_CAP_VCPU_EVENTS"),
    (Cap::Irqfd, "KVM_CAP_IRQFD"),
    (Cap::Ioeventfd, "KVM_CAP_IOEVENTFD"),
    (Cap::ReadonlyMem, "KVM_CAP_READONLY_MEM"),
];

/// Opens `/dev/kvm` and checks it.
///
/// # Errors
/// It is missing, refused or too old; the text says what to do.
pub(crate) fn open() -> Result<Kvm, Problem> {
    let kvm = Kvm::new().map_err(|error| Problem::Open(error.into()))?;
    match kvm.get_api_version() {
        12 => {}
        version => return Err(Problem::Version(version)),
    }
    let missing = NEEDED.iter().find(|(capability, _)| !kvm.check_extension(*capability));
    missing.map_or(Ok(kvm), |(_, name)| Err(Problem::Capability(name)))
}
