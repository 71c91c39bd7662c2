//! All areas of the API, in one colour.

mod accounting;
mod audit;
mod batch;
mod health;
mod ids;
mod images;
mod inference;
mod keys;
mod models;
mod pages;
mod rooms;
mod scaimatrix;
mod sessions;
mod speech;
mod variants;
mod webhooks;
