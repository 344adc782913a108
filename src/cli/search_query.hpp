// What a search looks for: a text, a picture, or a weighted sum of both.
#pragma once

#include <string>
#include <vector>

#include <moa/model.hpp>

#include "cli/arguments.hpp"

namespace moa::cli {

struct SearchTerm {
  enum class Kind { text, image };
  Kind kind = Kind::text;
  std::string value;
  double weight = 1;  // below 0 for what is wanted away
};

struct SearchQuery {
  std::string shown;  // as it was asked
  std::vector<SearchTerm> terms;
  std::vector<std::string> similar_to;  // pictures that are not to be found themselves
};

// The queries in `items`, of which the first argument, PLACE, is passed over: arguments and --text, --image,
// --similar, in order. An argument that names a picture file is a picture, any other a text; a lone + or -
// joins its neighbours into a sum, in which "2:stripes" is a text of weight 2. Error: invalid_argument for a
// sum with a hole.
std::vector<SearchQuery> read_queries(const Arguments& arguments);
// What somebody typed as a line: nothing if it is blank, else one query, a picture if the whole line names
// one. A + or - with blanks around it joins terms into a sum, as above. Error as above.
std::vector<SearchQuery> read_query_line(const std::string& line);

// The sum of the terms' unit vectors, put on the unit sphere. Errors: what a term deserves; invalid_argument
// if the terms cancel each other.
std::vector<float> query_vector(const SearchQuery& query, const Model& model, const EmbedOptions& options);

}  // namespace moa::cli
