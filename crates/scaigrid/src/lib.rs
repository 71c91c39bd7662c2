//! scaigrid
