// The instruction set chosen once per process.
#pragma once

namespace geo {

enum class Isa { baseline, avx2, avx512 };

// GEOINFLUENCER_ISA=baseline|avx2|avx512 lowers (never raises) what the processor offers.
Isa isa();

}  // namespace geo
