// Tables of pairs: whatever the bytes, either an Error or records that can be read (or, if bad ones are kept,
// throw an Error), with as many fields as there are columns.
#include <cstdint>
#include <cstdlib>

#include <moa/error.hpp>

#include "train/delimited_text.hpp"
#include "train/table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moa::train;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const TableFormat format = data[0] % 2 == 0 ? TableFormat::delimited : TableFormat::json_lines;
  const bool keeps = (data[0] & 8) != 0;
  const TableReading reading{data[0] % 4 == 0 ? ',' : '\t', (data[0] & 16) == 0,
                             keeps ? TableReading::BadRecords::keep : TableReading::BadRecords::refuse};
  try {
    const Table table = Table::parse(text, format, reading, "fuzz");
    for (std::size_t i = 0; i < table.size() && i < 1000; ++i) {
      try {
        const auto values = table.values(i, table.columns().empty() ? "a" : table.columns().back());
        if (format == TableFormat::delimited && values.size() != 1) std::abort();
      } catch (const moa::Error&) {
        if (format == TableFormat::delimited && !keeps) std::abort();  // it was checked before
      }
    }
  } catch (const moa::Error&) {
  }
  return 0;
}
