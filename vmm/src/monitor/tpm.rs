//! Handlers of `tpm.json`.

use qapi::handlers::Tpm;
use qapi::{Error, TPMInfo, TpmModel, TpmType};

use super::Monitor;

impl Tpm for Monitor<'_> {
    fn query_tpm_models(&mut self) -> Result<Vec<TpmModel>, Error> {
        Ok(TpmModel::ALL.to_vec())
    }

    fn query_tpm_types(&mut self) -> Result<Vec<TpmType>, Error> {
        Ok(TpmType::ALL.to_vec())
    }

    fn query_tpm(&mut self) -> Result<Vec<TPMInfo>, Error> {
        // A module is of one of the models, of which there are none.
        Ok(Vec::new())
    }
}
