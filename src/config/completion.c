#include "config/completion.h"

#include "base/nearest.h"

const char rf_completion_shells[] = "bash\nzsh\nfish\n";

static const struct rf_option help_option = {
    "help", RF_OPTION_BOOL, 0, NULL, NULL, "say what it does, and what can be set", false};

/* What is written, for one shell. */
struct script {
    const char *program;
    const struct rf_completed *completed;
    uint32_t count;
    struct rf_buf *out;
};

/* ---- What there is --------------------------------------------------------------------------- */

/* The last word of child's path when it stands directly behind parent, else NULL. */
static const char *name_behind(const struct rf_completed *parent, const struct rf_completed *child)
{
    size_t size = strlen(parent->path);
    const char *name = child->path;

    if (strncmp(child->path, parent->path, size) != 0) {
        return NULL;
    }
    if (size > 0) {
        name = child->path[size] == ' ' ? child->path + size + 1 : "";
    }
    return name[0] != '\0' && strchr(name, ' ') == NULL ? name : NULL;
}

/* The options of a path, ended by help, by index; NULL behind the last. */
static const struct rf_option *option_at(const struct rf_completed *each, uint32_t index)
{
    uint32_t count = 0;

    while (each->options != NULL && each->options[count].name != NULL) {
        if (count == index) {
            return &each->options[count];
        }
        count++;
    }
    return index == count ? &help_option : NULL;
}

static const char *dashes(const struct rf_option *option)
{
    return option->name[1] == '\0' ? "-" : "--";
}

/* A path as the scripts keep it: each word behind a blank. */
static const char *blank(const struct rf_completed *each)
{
    return each->path[0] != '\0' ? " " : "";
}

/* The text, its quotes such that they do not end the quoted word that it stands in. */
static void add_quoted(struct rf_buf *out, const char *text, const char *quote)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            rf_buf_printf(out, "%s", quote);
        } else {
            rf_buf_add_byte(out, *text);
        }
    }
}

/* The lines of words, and the choices of an option, with blanks between them. */
static void add_words(struct rf_buf *out, const char *words, char between)
{
    struct rf_str rest = rf_str_of(words), word;
    bool first = true;

    while (rf_str_split(&rest, between, &word)) {
        if (word.size > 0) {
            rf_buf_printf(out, "%s%.*s", first ? "" : " ", RF_STR_ARG(word));
            first = false;
        }
    }
}

/* "' run' | ' tail'", all paths but that of the program itself. */
static void add_paths(const struct script *script, const char *between)
{
    bool first = true;

    for (uint32_t i = 0; i < script->count; i++) {
        if (script->completed[i].path[0] != '\0') {
            rf_buf_printf(script->out, "%s' %s'", first ? "" : between, script->completed[i].path);
            first = false;
        }
    }
    if (first) {
        rf_buf_printf(script->out, "''"); /* a program without commands */
    }
}

/* ---- bash and zsh ---------------------------------------------------------------------------- */

/* Where we are: the path so far, one word after the other. */
static void add_walk(const struct script *script, const char *word)
{
    rf_buf_printf(script->out, "        case \"$at %s\" in\n            ", word);
    add_paths(script, " | ");
    rf_buf_printf(script->out, ") at=\"$at %s\" ;;\n        esac\n    done\n", word);
}

/* The values of options: words for a choice, files for a text, nothing for a number. */
static void add_values(const struct script *script)
{
    struct rf_buf *out = script->out;

    rf_buf_printf(out, "    case \"$at $before\" in\n");
    for (uint32_t i = 0; i < script->count; i++) {
        const struct rf_completed *each = &script->completed[i];
        const struct rf_option *option;
        for (uint32_t j = 0; (option = option_at(each, j)) != NULL; j++) {
            if (option->kind == RF_OPTION_BOOL) {
                continue; /* what follows is no value */
            }
            rf_buf_printf(out, "        '%s%s %s%s') value=yes", blank(each), each->path,
                          dashes(option), option->name);
            if (option->kind == RF_OPTION_CHOICE) {
                rf_buf_printf(out, " choices='");
                add_words(out, option->choices, '|');
                rf_buf_printf(out, "'");
            } else if (option->kind == RF_OPTION_TEXT) {
                rf_buf_printf(out, " files=yes");
            }
            rf_buf_printf(out, " ;;\n");
        }
    }
    rf_buf_printf(out, "    esac\n");
}

/* The words behind a path, with its commands. */
static void add_bash_words(const struct script *script, const struct rf_completed *each)
{
    rf_buf_printf(script->out, " words='");
    for (uint32_t i = 0; i < script->count; i++) {
        const char *name = name_behind(each, &script->completed[i]);
        if (name != NULL) {
            rf_buf_printf(script->out, "%s ", name);
        }
    }
    add_words(script->out, each->words != NULL ? each->words : "", '\n');
    rf_buf_printf(script->out, "'%s ;;\n", each->files ? " files=yes" : "");
}

static void add_bash_places(const struct script *script)
{
    struct rf_buf *out = script->out;

    for (uint32_t i = 0; i < script->count; i++) {
        const struct rf_completed *each = &script->completed[i];
        const struct rf_option *option;
        rf_buf_printf(out, "        '%s%s') options='", blank(each), each->path);
        for (uint32_t j = 0; (option = option_at(each, j)) != NULL; j++) {
            rf_buf_printf(out, "%s%s%s", j > 0 ? " " : "", dashes(option), option->name);
        }
        rf_buf_printf(out, "'");
        add_bash_words(script, each);
    }
}

/* bash takes "--name=value" apart at the '='. */
static void write_bash(const struct script *script)
{
    struct rf_buf *out = script->out;
    const char *program = script->program;

    rf_buf_printf(out,
                  "_%s()\n{\n"
                  "    local current=${COMP_WORDS[COMP_CWORD]} "
                  "before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                  "    local at='' choices='' files='' options='' value='' words='' i\n"
                  "    for ((i = 1; i < COMP_CWORD; i++)); do\n",
                  program);
    add_walk(script, "${COMP_WORDS[i]}");
    rf_buf_printf(out, "    if [ \"$current\" = = ]; then\n        current=''\n"
                       "    elif [ \"$before\" = = ] && [ \"$COMP_CWORD\" -gt 2 ]; then\n"
                       "        before=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n");
    add_values(script);
    rf_buf_printf(out, "    [ -n \"$value\" ] || case \"$at\" in\n");
    add_bash_places(script);
    rf_buf_printf(out,
                  "    esac\n"
                  "    case $current in\n"
                  "        -*) words=\"$options $words\" files='' ;;\n"
                  "    esac\n"
                  "    mapfile -t COMPREPLY < <(compgen -W \"$words $choices\" -- \"$current\")\n"
                  "    case ${COMPREPLY[0]-} in\n"
                  "        *:) compopt -o nospace 2>/dev/null ;;\n"
                  "    esac\n"
                  "    if [ -n \"$files\" ]; then\n"
                  "        compopt -o filenames 2>/dev/null\n"
                  "        mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < "
                  "<(compgen -f -- \"$current\")\n"
                  "    fi\n"
                  "}\n"
                  "complete -F _%s %s\n",
                  program, program);
}

static void add_zsh_word(struct rf_buf *out, const char *word, size_t size, const char *summary)
{
    rf_buf_printf(out, " '");
    for (size_t i = 0; i < size; i++) {
        rf_buf_printf(out, "%s%c", word[i] == ':' ? "\\" : "", word[i]);
    }
    if (summary != NULL) {
        rf_buf_add_byte(out, ':');
        add_quoted(out, summary, "'\\''");
    }
    rf_buf_add_byte(out, '\'');
}

static void add_zsh_words(const struct script *script, const struct rf_completed *each)
{
    struct rf_str rest = rf_str_of(each->words != NULL ? each->words : ""), word;

    rf_buf_printf(script->out, "            words=(");
    for (uint32_t i = 0; i < script->count; i++) {
        const struct rf_completed *child = &script->completed[i];
        const char *name = name_behind(each, child);
        if (name != NULL) {
            add_zsh_word(script->out, name, strlen(name), child->summary);
        }
    }
    while (rf_str_split(&rest, '\n', &word)) {
        if (word.size > 0) {
            add_zsh_word(script->out, word.data, word.size, NULL);
        }
    }
    rf_buf_printf(script->out, ")%s ;;\n", each->files ? " files=yes" : "");
}

static void add_zsh_places(const struct script *script)
{
    struct rf_buf *out = script->out;

    for (uint32_t i = 0; i < script->count; i++) {
        const struct rf_completed *each = &script->completed[i];
        const struct rf_option *option;
        rf_buf_printf(out, "        '%s%s')\n            options=(", blank(each), each->path);
        for (uint32_t j = 0; (option = option_at(each, j)) != NULL; j++) {
            rf_buf_printf(out, " '%s%s:", dashes(option), option->name);
            add_quoted(out, option->help, "'\\''");
            rf_buf_add_byte(out, '\'');
        }
        rf_buf_printf(out, ")\n");
        add_zsh_words(script, each);
    }
}

static void write_zsh(const struct script *script)
{
    struct rf_buf *out = script->out;
    const char *program = script->program;

    rf_buf_printf(out,
                  "_%s()\n{\n"
                  "    local at= before=$words[CURRENT-1] choices= files= value= i\n"
                  "    local -a options typed=($words)\n"
                  "    for ((i = 2; i < CURRENT; i++)); do\n",
                  program);
    add_walk(script, "$typed[i]");
    rf_buf_printf(out, "    local -a words=()\n"
                       "    if [[ $PREFIX == --*=* ]]; then\n"
                       "        before=${PREFIX%%%%=*}\n        compset -P '*='\n    fi\n");
    add_values(script);
    rf_buf_printf(out, "    [[ -n $value ]] || case \"$at\" in\n");
    add_zsh_places(script);
    rf_buf_printf(out,
                  "    esac\n"
                  "    [[ -z $choices ]] || compadd -- ${=choices}\n"
                  "    [[ $PREFIX != -* ]] || _describe -o option options\n"
                  "    if (($#words)) && [[ $words[1] == *: ]]; then\n"
                  "        compadd -S '' -- ${words//\\\\/}\n"
                  "    elif (($#words)); then\n"
                  "        _describe argument words\n"
                  "    fi\n"
                  "    [[ -z $files || $PREFIX == -* ]] || _files\n"
                  "}\n"
                  "if [[ $funcstack[1] == _%s ]]; then\n    _%s \"$@\"\nelse\n"
                  "    compdef _%s %s\nfi\n",
                  program, program, program, program);
}

/* ---- fish ------------------------------------------------------------------------------------ */

/* "complete -c rowferry -n "__rowferry_at ' run'"": what each line begins with. */
static void begin_fish(const struct script *script, const struct rf_completed *each)
{
    rf_buf_printf(script->out, "complete -c %s -n \"__%s_at '%s%s'\"", script->program,
                  script->program, blank(each), each->path);
}

static void end_fish(struct rf_buf *out, const char *summary)
{
    if (summary != NULL) {
        rf_buf_printf(out, " -d '");
        add_quoted(out, summary, "\\'");
        rf_buf_add_byte(out, '\'');
    }
    rf_buf_add_byte(out, '\n');
}

static void add_fish_option(const struct script *script, const struct rf_completed *each,
                            const struct rf_option *option)
{
    struct rf_buf *out = script->out;

    begin_fish(script, each);
    rf_buf_printf(out, " -%c %s", option->name[1] == '\0' ? 's' : 'l', option->name);
    if (option->kind == RF_OPTION_CHOICE) {
        rf_buf_printf(out, " -x -a '");
        add_words(out, option->choices, '|');
        rf_buf_printf(out, "'");
    } else if (option->kind != RF_OPTION_BOOL) {
        rf_buf_printf(out, option->kind == RF_OPTION_TEXT ? " -r -F" : " -x");
    }
    end_fish(out, option->help);
}

static void add_fish_words(const struct script *script, const struct rf_completed *each)
{
    struct rf_str rest = rf_str_of(each->words != NULL ? each->words : ""), word;

    for (uint32_t i = 0; i < script->count; i++) {
        const char *name = name_behind(each, &script->completed[i]);
        if (name != NULL) {
            begin_fish(script, each);
            rf_buf_printf(script->out, " -a '%s'", name);
            end_fish(script->out, script->completed[i].summary);
        }
    }
    while (rf_str_split(&rest, '\n', &word)) {
        if (word.size > 0) {
            begin_fish(script, each);
            rf_buf_printf(script->out, " -a '%.*s'", RF_STR_ARG(word));
            end_fish(script->out, NULL);
        }
    }
    if (each->files) {
        begin_fish(script, each);
        rf_buf_printf(script->out, " -F\n");
    }
}

static void write_fish(const struct script *script)
{
    struct rf_buf *out = script->out;
    const char *program = script->program;

    rf_buf_printf(out,
                  "function __%s_at\n    set -l at ''\n    set -l words (commandline -opc)\n"
                  "    set -e words[1]\n    for word in $words\n"
                  "        switch \"$at $word\"\n            case ",
                  program);
    add_paths(script, " ");
    rf_buf_printf(out,
                  "\n                set at \"$at $word\"\n        end\n    end\n"
                  "    test \"$at\" = \"$argv[1]\"\nend\n"
                  "complete -c %s -f\n",
                  program);
    for (uint32_t i = 0; i < script->count; i++) {
        const struct rf_option *option;
        for (uint32_t j = 0; (option = option_at(&script->completed[i], j)) != NULL; j++) {
            add_fish_option(script, &script->completed[i], option);
        }
        add_fish_words(script, &script->completed[i]);
    }
}

/* ---- From outside ---------------------------------------------------------------------------- */

static const struct {
    const char *shell;
    const char *head; /* must be the first line */
    void (*write)(const struct script *script);
} writers[] = {
    {"bash", "# shellcheck shell=bash\n", write_bash},
    {"zsh", NULL, write_zsh},
    {"fish", "", write_fish},
};

static enum rf_status fail_shell(const char *shell, struct rf_error *err)
{
    static const char *const names[] = {"bash", "zsh", "fish"};
    const char *meant = rf_nearest(shell, names, 3);

    rf_fail(err, RF_CONFIG, "there are no completions for '%s'%s%s%s", shell,
            meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
    rf_error_hint(err, "the shells are: bash, zsh, fish");
    return RF_CONFIG;
}

enum rf_status rf_completion_write(const char *shell, const char *program,
                                   const struct rf_completed *completed, uint32_t count,
                                   struct rf_buf *out, struct rf_error *err)
{
    struct script script = {program, completed, count, out};

    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        if (strcmp(writers[i].shell, shell) == 0) {
            if (writers[i].head != NULL) {
                rf_buf_printf(out, "%s", writers[i].head);
            } else {
                rf_buf_printf(out, "#compdef %s\n", program);
            }
            rf_buf_printf(out,
                          "# What %s completes '%s' with, from the program's own tables. Written "
                          "by\n# '%s completions %s'; do not edit.\n",
                          shell, program, program, shell);
            writers[i].write(&script);
            return RF_OK;
        }
    }
    return fail_shell(shell, err);
}
