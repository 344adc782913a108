#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "base/expect_error.hpp"
#include "base/suggest.hpp"

namespace moa::cli {
namespace {

Arguments parse(const Command& command, const std::vector<const char*>& words) {
  return Arguments::parse(command, words);
}

TEST(Arguments, OptionsAreUnderstoodInEveryForm) {
  for (const std::vector<const char*>& words : {std::vector<const char*>{"--top", "3", "place"},
                                                {"--top=3", "place"},
                                                {"-k", "3", "place"},
                                                {"-k3", "place"},
                                                {"place", "-qk3"}}) {
    const Arguments arguments = parse(kSearchCommand, words);
    EXPECT_EQ(arguments.integer("top", 5, 1, 100), 3);
    EXPECT_EQ(arguments.inputs(), std::vector<std::string>{"place"});
  }
}

TEST(Arguments, ALoneDashIsAnArgumentAndSoIsWhatFollowsTwo) {
  const Arguments arguments = parse(kSearchCommand, {"place", "a", "-", "b", "--", "--top", "-q"});
  EXPECT_EQ(arguments.inputs(), (std::vector<std::string>{"place", "a", "-", "b", "--top", "-q"}));
  EXPECT_FALSE(arguments.has("quiet"));
}

TEST(Arguments, AValueMayLookLikeAnOption) {
  EXPECT_EQ(parse(kEmbedCommand, {"--text", "--raw"}).values("text"), std::vector<std::string>{"--raw"});
}

TEST(Arguments, TheLastOfTwoCountsUnlessAllAreWanted) {
  const Arguments arguments = parse(kEmbedCommand, {"--dim", "1", "--dim=2", "--text", "a", "--text", ""});
  EXPECT_EQ(arguments.integer("dim", 0, 1, 9), 2);
  EXPECT_EQ(arguments.values("text"), (std::vector<std::string>{"a", ""}));
}

TEST(Arguments, WrongUseIsInvalidArgument) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"--nonsense"}, {"-z"}, {"--text"}, {"--raw=yes"}, {"--format", "xml"}}) {
    MOA_EXPECT_ERROR(parse(kEmbedCommand, words), invalid_argument);
  }
  for (const char* value : {"", "x", "3x", "0", "101", "99999999999999999999", "1.5"}) {
    MOA_EXPECT_ERROR(parse(kSearchCommand, {"-k", value}).integer("top", 5, 1, 100), invalid_argument);
  }
  for (const char* value : {"", "x", "0.5 ", "inf", "nan"}) {
    MOA_EXPECT_ERROR(parse(kSearchCommand, {"--min-score", value}).number("min-score"), invalid_argument);
  }
}

TEST(Arguments, TheEnvironmentSetsADefaultOnly) {
  ::setenv("MOA_THREADS", "7", 1);
  EXPECT_EQ(parse(kEmbedCommand, {}).integer("threads", 0, 0, 99), 7);
  EXPECT_EQ(parse(kEmbedCommand, {"-t2"}).integer("threads", 0, 0, 99), 2);
  ::setenv("MOA_THREADS", "x", 1);
  try {
    parse(kEmbedCommand, {}).integer("threads", 0, 0, 99);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("MOA_THREADS"), std::string::npos) << error.what();
  }
  ::setenv("MOA_THREADS", "", 1);
  EXPECT_EQ(parse(kEmbedCommand, {}).integer("threads", 0, 0, 99), 0);
  ::unsetenv("MOA_THREADS");
}

TEST(Commands, EveryTableIsSound) {
  for (const Command* command : commands()) {
    SCOPED_TRACE(command->name);
    EXPECT_EQ(find_command(command->name), command);
    EXPECT_FALSE(command->summary.empty());
    EXPECT_FALSE(command->examples.empty());
    EXPECT_NE(command->run, nullptr);
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const Options& group : command->options) {
      for (const Option& option : group) {
        EXPECT_TRUE(names.insert(option.name).second) << option.name;
        EXPECT_TRUE(option.letter == 0 || letters.insert(option.letter).second) << option.letter;
        EXPECT_FALSE(option.help.empty() || option.help.ends_with('.')) << option.name;
      }
    }
    EXPECT_TRUE(names.contains("help"));
  }
}

TEST(Suggest, ASlipIsRecognisedAndADifferentWordIsNot) {
  const std::vector<std::string> known = {"search", "embed", "index", "inspect"};
  EXPECT_EQ(did_you_mean("serach", known), "; did you mean search?");
  EXPECT_EQ(did_you_mean("indx", known), "; did you mean index?");
  EXPECT_EQ(did_you_mean("bananas", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
}

}  // namespace
}  // namespace moa::cli
