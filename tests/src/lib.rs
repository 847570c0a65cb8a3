//! Whole flows, held against what they must print and give.
