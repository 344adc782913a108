#include "train/step_table.hpp"

#include "train/number_text.hpp"

namespace moa::train {
namespace {

void append_line(std::string& text, const std::vector<std::string>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) text += (i == 0 ? "" : ",") + fields[i];
  text += "\n";
}

}  // namespace

std::string lines_up_to(const Table& table, std::int64_t step) {
  std::string kept;
  append_line(kept, table.columns());
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::vector<std::string> fields;
    for (const std::string& column : table.columns()) fields.push_back(table.values(i, column).front());
    if (parse_number<std::int64_t>(fields.front(), table.place(i)) > step) break;
    append_line(kept, fields);
  }
  return kept;
}

}  // namespace moa::train
